"""The levels at which each ladder column can be shown, finest first, and how a name of a level is bound to a tree.

service, unit: `leaf` is the service or unit itself; every other level counts from the root of the tree, so that the last
name in the list is the root, the one before it the child of the root, and so on; a node that stands higher than a level
keeps its own name there. outcome: `code`, then `parent`, the coarser code of the list. duration: `band`, then
`wide_band`, whose edges are some of those of `band`. trace: from steps with units to milestones. An instance may name
fewer or other levels (`levels:`), never another order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.metadata.settings import Node, Policy

COLUMNS = ("service", "unit", "outcome", "lateness", "duration", "loop", "channel", "trace")
TREES = ("service", "unit")
LEAF = "leaf"
DEFAULT_LEVELS: Mapping[str, tuple[str, ...]] = {
    "service": (LEAF, "family"),
    "unit": (LEAF, "department"),
    "outcome": ("code", "parent"),
    "lateness": ("code",),
    "duration": ("band", "wide_band"),
    "loop": ("flag",),
    "channel": ("code",),
    "trace": ("steps_units", "steps", "pattern", "milestones"),
}


def levels_of(policy: Policy, column: str) -> tuple[str, ...]:
    """List the levels of a column, finest first.

    >>> from etl.metadata import Policy
    >>> levels_of(Policy(levels={"unit": ("leaf", "section", "department")}), "unit")
    ('leaf', 'section', 'department')
    """
    return tuple(policy.levels.get(column) or DEFAULT_LEVELS[column])


def depth_of(levels: Sequence[str], level: str) -> int | None:
    """Count how far from the root a level of a tree stands: 1 is the root; None for the leaf, which stands nowhere.

    >>> [depth_of(("leaf", "section", "department"), level) for level in ("leaf", "section", "department")]
    [None, 2, 1]
    """
    return None if level == LEAF else len(levels) - list(levels).index(level)


def ancestors(nodes: Sequence[Node], depth: int | None) -> dict[str, str]:
    """Give for each node the one above it at a depth (1: the root), itself where it stands no deeper.

    >>> from etl.metadata.settings import Node
    >>> tree = [Node("a", None, {}), Node("b", "a", {}), Node("c", "b", {})]
    >>> ancestors(tree, 1), ancestors(tree, 2)
    ({'a': 'a', 'b': 'a', 'c': 'a'}, {'a': 'a', 'b': 'b', 'c': 'b'})
    """
    way = ways(nodes)
    return {node: node if depth is None else path[min(depth, len(path)) - 1] for node, path in way.items()}


def ways(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """Give for each node the way to it from the root of its tree, both included.

    >>> from etl.metadata.settings import Node
    >>> ways([Node("a", None, {}), Node("b", "a", {})])
    {'a': ('a',), 'b': ('a', 'b')}
    """
    parents = {node.id: node.parent for node in nodes}

    def path(node: str) -> tuple[str, ...]:
        above = parents.get(node)
        return (node,) if above is None else (*path(above), node)

    return {node: path(node) for node in parents}
