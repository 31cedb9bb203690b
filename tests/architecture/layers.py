"""Which layer of a feature a module belongs to: by its name, else by what it does. Names are free, layers are not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import IntEnum

from tests.architecture.syntax import Module, calls, dotted, imports, where


class Layer(IntEnum):
    """From the ground up. Doors are neighbours."""

    ERRORS = 0
    RULES = 1
    QUERIES = 2
    OPERATIONS = 3
    FORMS = 4
    DOORS = 5
    FEATURE = 6


BY_NAME: Mapping[str, Layer] = {
    "errors": Layer.ERRORS, "rules": Layer.RULES, "queries": Layer.QUERIES, "operations": Layer.OPERATIONS, "forms": Layer.FORMS,
    "views": Layer.DOORS, "jobs": Layer.DOORS, "api": Layer.DOORS, "commands": Layer.DOORS, "feature": Layer.FEATURE,
    "tags": Layer.RULES, "notices": Layer.RULES, "invariants": Layer.RULES, "permissions": Layer.RULES,
}  # fmt: skip
"""Declarations (tags, notices, invariants, permissions) stand where rules stand."""

OF_THE_WEB = {"flask", "werkzeug", "flask_login", "flask_wtf", "wtforms", "flask_babel"}
OF_DOORS = {"shop.platform.language"}
"""Who speaks to a reader is a door."""

RUNS_OPERATIONS = {"perform", "transaction"}
WRITES = {"insert_once", "take", "insert_or_ignore", "insert_made_or_ignore", "insert_or_update", "sa.insert", "sa.update", "sa.delete"}
READS = {"reading", "Session"}

FEATURES = (
    "accounts", "communities", "merchants", "catalog", "stock", "wallet", "promotions", "cart", "favourites", "bulletin", "payments",
    "pickup", "counter", "orders", "bills", "checkout", "settlement", "fulfilment", "imports", "onboarding", "listings", "reviews",
    "statistics",
)  # fmt: skip


def layer_of(module: Module) -> Layer:
    """By name, else: speaks to the web or opens transactions -> a door; writes -> operations; reads, or tells what was read -> queries."""
    named = BY_NAME.get(module.name.split(".")[2])
    if named is not None:
        return named
    imported = {name for _, name in imports(module.tree)}
    called = {dotted(call.func) for call in calls(module.tree)}
    if any(name.split(".")[0] in OF_THE_WEB for name in imported) or imported & OF_DOORS or called & RUNS_OPERATIONS:
        return Layer.DOORS
    if called & WRITES or is_marked(module):
        return Layer.OPERATIONS
    own_queries = f"shop.{module.package}.queries"
    if names_used(module) & READS or own_queries in {name for _, name in imported_modules(module, {own_queries})}:
        return Layer.QUERIES
    return Layer.RULES


def is_marked(module: Module) -> bool:
    """Whether something in it is an `@operation`."""
    functions = (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef))
    return any(dotted(mark) in {"operation", "db.operation"} for function in functions for mark in function.decorator_list)


def names_used(module: Module) -> set[str]:
    return {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}


def imported_modules(module: Module, known: set[str]) -> Iterator[tuple[ast.AST, str]]:
    """The known modules that a module imports, whole or something of them; packages count for what lies in them."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield node, name if name in known else node.module
        elif isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)


def upward_imports(modules: Mapping[str, Module]) -> Iterator[str]:
    """Every import inside a feature that points up."""
    layers = {name: layer_of(module) for name, module in modules.items()}
    for name, module in modules.items():
        for node, other in imported_modules(module, set(modules)):
            if other in modules and modules[other].package == module.package and layers[other] > layers[name]:
                yield f"{where(module, node)} ({layers[name].name.lower()}) imports {other} ({layers[other].name.lower()})"


def modules_of_features(modules: tuple[Module, ...]) -> dict[str, Module]:
    """The modules inside features, by name."""
    return {module.name: module for module in modules if module.package in FEATURES and module.name.count(".") >= 2}
