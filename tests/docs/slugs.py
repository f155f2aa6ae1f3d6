"""Find every error slug that the code can raise, by reading its syntax trees.

A slug is the first argument of one of our errors, or of a function of the same module that hands its first parameter on
to one (`_wrong("policy-k", …)`).
"""

from __future__ import annotations

import ast
from pathlib import Path

from etl import errors
from tests.house.sources import modules

ERRORS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.PortalError)
}


def raised_slugs(root: Path) -> dict[str, str]:
    """Give slug -> module for every error of the project; a first argument that is no text gives `?module:line`."""
    found: dict[str, str] = {}
    for name, tree in modules(root):
        if name == "etl/errors.py":
            continue
        raisers = _raisers(tree)
        inside = {call for raiser in _definitions(tree, raisers) for call in _calls(raiser, ERRORS | raisers)}
        for call in _calls(tree, ERRORS | raisers):
            slugs = _either(call.args[0]) if call.args else []
            if slugs:
                found |= dict.fromkeys(slugs, name)
            elif call not in inside:
                found[f"?{name}:{call.lineno}"] = name
    return found


def _either(slug: ast.expr) -> list[str]:
    """Give the texts that an argument may be: itself, or both sides of `a if … else b`; none where it is no text."""
    if isinstance(slug, ast.IfExp):
        return _either(slug.body) + _either(slug.orelse)
    return [slug.value] if isinstance(slug, ast.Constant) and isinstance(slug.value, str) else []


def _raisers(tree: ast.Module) -> set[str]:
    """Name the functions that hand a parameter on as a slug, to an error of ours or to another such function."""
    names: set[str] = set()
    while True:
        more = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for call in _calls(node, ERRORS | names)
            if call.args and isinstance(call.args[0], ast.Name) and call.args[0].id in _parameters(node)
        }
        if more <= names:
            return names
        names |= more


def _parameters(node: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}


def _definitions(tree: ast.Module, names: set[str]) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]


def _calls(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    """Find calls of these names, of methods (`self.fault(…)`) too."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) in names
    ]
