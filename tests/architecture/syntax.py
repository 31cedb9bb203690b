"""Reading the shop's own source: one parsed tree per module, and the few questions that are asked of trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """A module of the shop: its dotted name, where it is, and its tree."""

    name: str
    place: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The feature it belongs to: `orders` of `shop.orders.operations.closing`."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""


def parsed(source: str, name: str = "shop.example.views") -> Module:
    """A module from a piece of source, for trying a check on something that breaks it."""
    return Module(name, name.replace(".", "/") + ".py", ast.parse(source))


@cache
def shop_modules() -> tuple[Module, ...]:
    """Every module of the shop."""
    return tuple(
        Module(name_of(place), str(place.relative_to(ROOT)), ast.parse(place.read_text(encoding="utf-8")))
        for place in sorted((ROOT / "shop").rglob("*.py"))
    )


def name_of(place: Path) -> str:
    parts = place.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def dotted(node: ast.AST) -> str:
    """`session.commit` of the tree of `session.commit`; a call inside counts as its function; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imports(tree: ast.AST) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Each import statement with the modules it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


def where(module: Module, node: ast.AST) -> str:
    """`shop/orders/views.py:12`."""
    return f"{module.place}:{getattr(node, 'lineno', 0)}"
