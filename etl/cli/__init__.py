"""The program `shafaf`: thin verbs over public functions; people read stderr, machines stdout (DESIGN §8)."""

from etl.cli.program import main, program

__all__ = ["main", "program"]
