"""The program `shafaf`: thin verbs over public functions; people read stderr, machines stdout (DESIGN §8)."""

from etl.cli.start import main

__all__ = ["main"]
