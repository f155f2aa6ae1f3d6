"""Seconds and memory of the program at size, beside a committed peer (`make bench`, `make bench-10m`, `make bench-50m`)."""
