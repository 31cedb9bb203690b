"""What the shop writes into its audit trail, read out of its source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import shop.models.orders
from shop.platform.audit import Tag
from tests.architecture.syntax import Module, calls, dotted

RECORDERS = ("audit.record", "audit.record_each", "audit.record_all")


@dataclass(frozen=True)
class Recorded:
    """One kind of entry: its code, what it is about, and the names of its facts."""

    action: str
    subject_type: str
    facts: frozenset[str]
    place: str


def recorded_in(modules: Iterable[Module]) -> Iterator[Recorded]:
    """Every kind of entry that some line records. A code that cannot be read out of the source is an `AssertionError`."""
    for module in modules:
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in calls(function):
                if dotted(call.func) in RECORDERS:
                    yield from _entries(module, function, call)


def _entries(module: Module, function: ast.FunctionDef, call: ast.Call) -> Iterator[Recorded]:
    place = f"{module.place}:{call.lineno}"
    subject_type, names = call.args[3], [keyword.arg for keyword in call.keywords]
    assert isinstance(subject_type, ast.Constant), f"{place}: what it is about is not written out"
    assert None not in names, f"{place}: the facts are not written out"
    for action in _codes(module, function, call.args[2], place):
        yield Recorded(action, str(subject_type.value), frozenset(str(name) for name in names), place)


def _codes(module: Module, function: ast.FunctionDef, written: ast.expr, place: str) -> Iterator[str]:
    """The codes an expression may be: a tag, one of two, or a tag found by the value of a state that callers name."""
    tags = imported_tags(module)
    name, _, member = dotted(written).partition(".")
    if isinstance(written, ast.Attribute) and name in tags:
        yield str(tags[name][member].value)
    elif isinstance(written, ast.Call) and dotted(written.func).removesuffix(".of") in tags and len(written.args) == 1:
        yield from _codes(module, function, written.args[0], place)
    elif isinstance(written, ast.IfExp):
        yield from _codes(module, function, written.body, place)
        yield from _codes(module, function, written.orelse, place)
    elif isinstance(written, ast.JoinedStr) and [type(part) for part in written.values] == [ast.Constant, ast.FormattedValue]:
        beginning, state = written.values
        assert isinstance(beginning, ast.Constant)
        assert isinstance(state, ast.FormattedValue)
        name, _, value = dotted(state.value).partition(".")
        assert value == "value", f"{place}: this code is not written out"
        at = [argument.arg for argument in function.args.args].index(name)
        given = [call.args[at] for call in calls(module.tree) if dotted(call.func) == function.name]
        assert given, f"{place}: nobody says how this code ends"
        for argument in given:
            kind, _, member = dotted(argument).partition(".")
            assert member, f"{place}: a caller does not say how this code ends"
            yield f"{beginning.value}{getattr(shop.models.orders, kind)[member].value}"
    else:
        raise AssertionError(f"{place}: this code is not written out")


def imported_tags(module: Module) -> dict[str, type[Tag]]:
    """The lists of tags that a module imports, by the name it calls them."""
    return {
        alias.asname or alias.name: getattr(importlib.import_module(node.module), alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".tags") and node.module
        for alias in node.names
        if alias.name == "Done"
    }
