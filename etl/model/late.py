"""Public names of a package whose modules are loaded when a name is first asked for (PEP 562).

A process goes through one stage or two, and most of what it would load belongs to the others: pages, attackers, engines,
drivers. A package that uses it names its public functions twice: for people and type checkers under TYPE_CHECKING, and
with their modules here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module


def late(package: str, homes: Mapping[str, Collection[str]]) -> Callable[[str], object]:
    """Make the `__getattr__` of a package; homes: its module -> the public names that stand there."""
    module_of = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, value)  # asked once
        return value

    return load
