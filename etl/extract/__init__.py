"""Sources and mappings to staging batches."""
