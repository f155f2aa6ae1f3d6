"""The synthetic service desk and office automation."""
