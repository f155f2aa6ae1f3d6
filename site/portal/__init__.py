"""The public side: build the static site from a released database and serve it. Reads released data only."""
