"""Groups to release files and the published database."""
