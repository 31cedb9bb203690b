"""Holds JSON of the card provider against the classes of its own SDK: what is missing, unknown, or of another kind.

`faults(value, stripe.Charge)` gives a sentence for each difference. The SDK knows its answers by annotations only and never looks
at them itself, so a stand-in may differ from the provider without any code noticing.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import stripe
from stripe._stripe_object import StripeObject, UntypedStripeObject

PLAIN: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float), str: (str,), bool: (bool,), Decimal: (str,)}
"""What JSON has for them; the SDK reads decimals out of strings."""


def faults(value: Any, wanted: Any, where: str = "") -> list[str]:
    """How a value differs from an annotation; nothing when it does not."""
    wanted = resolved(wanted)
    origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any or isinstance(wanted, typing.TypeVar):
        return []
    if origin in (typing.Union, types.UnionType):
        return _of_union(value, parts, where)
    if origin is typing.Literal:
        return [] if value in parts else [f"{where} is {value!r}, none of {', '.join(map(str, parts))}"]
    if origin is list:
        return _each(value, parts[0], where) if isinstance(value, list) else [_wrong(value, wanted, where)]
    if origin is dict or (isinstance(origin, type) and issubclass(origin, UntypedStripeObject)):
        return [] if isinstance(value, dict) else [_wrong(value, wanted, where)]
    if isinstance(origin, type) and issubclass(origin, stripe.ListObject):
        return faults(value, stripe.ListObject, where) + _each((value or {}).get("data", []), parts[0], f"{where}.data")
    if wanted in PLAIN:
        is_right = isinstance(value, PLAIN[wanted]) and (wanted is bool or not isinstance(value, bool))
        return [] if is_right else [_wrong(value, wanted, where)]
    if wanted is type(None):
        return [] if value is None else [_wrong(value, wanted, where)]
    if isinstance(wanted, type) and issubclass(wanted, StripeObject):
        return _of_class(value, wanted, where)
    raise TypeError(f"{where}: {wanted!r} is no annotation this knows")


def _of_class(value: Any, wanted: type, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [_wrong(value, wanted, where)]
    fields = fields_of(wanted)
    if not fields:  # a mapping of anything
        return []
    unknown = [f"{where}.{name} is no field of {wanted.__qualname__}" for name in value if name not in fields]
    missing = [f"{where}.{name} is missing" for name, kind in fields.items() if name not in value and not may_be_absent(kind)]
    return unknown + missing + [fault for name in value if name in fields for fault in faults(value[name], fields[name], f"{where}.{name}")]


def _of_union(value: Any, parts: tuple[Any, ...], where: str) -> list[str]:
    if value is None:
        return [] if type(None) in map(resolved, parts) else [f"{where} is null"]
    others = [part for part in map(resolved, parts) if part is not type(None)]
    words = [part for part in others if typing.get_origin(part) is typing.Literal]
    if isinstance(value, str) and words:  # the SDK lets other words through; a stand-in has no reason to invent one
        others = words
    if isinstance(value, dict):
        named = [part for part in others if isinstance(part, type) and getattr(part, "OBJECT_NAME", None) == value.get("object")]
        others = named or [part for part in others if part not in PLAIN]
    tried = [faults(value, part, where) for part in others]
    return min(tried, key=len, default=[_wrong(value, parts, where)])


def _each(values: Any, wanted: Any, where: str) -> list[str]:
    return [fault for number, value in enumerate(values) for fault in faults(value, wanted, f"{where}[{number}]")]


def _wrong(value: Any, wanted: Any, where: str) -> str:
    return f"{where} is {type(value).__name__} {str(value)[:40]!r}, not {getattr(wanted, '__qualname__', wanted)}"


@cache
def fields_of(wanted: type) -> dict[str, Any]:
    """The fields of a class of the SDK as JSON names them, those of its parents as well; `deleted` marks what is gone."""
    found: dict[str, Any] = {}
    for parent in reversed(wanted.__mro__):
        if issubclass(parent, StripeObject) and parent is not StripeObject:
            renamed = {ours: theirs for theirs, ours in getattr(parent, "_field_remappings", {}).items()}
            for name, kind in vars(parent).get("__annotations__", {}).items():
                if not name.startswith("_") and typing.get_origin(kind) is not typing.ClassVar:
                    found[renamed.get(name, name)] = kind
    name = getattr(wanted, "OBJECT_NAME", None)
    return found if name is None else {"object": typing.Literal[name]} | found


def may_be_absent(kind: Any) -> bool:
    """Whether an annotation lets a field be left out, which the SDK says as it says null."""
    kind = resolved(kind)
    return typing.get_origin(kind) in (typing.Union, types.UnionType) and type(None) in map(resolved, typing.get_args(kind))


def resolved(kind: Any) -> Any:
    """A class that is only named, as classes of the SDK name each other."""
    if isinstance(kind, typing.ForwardRef):
        kind = kind.__forward_arg__
    if kind is None:
        return type(None)
    return eval(kind, {}, Names(vars(typing) | classes())) if isinstance(kind, str) else kind  # names of our own installed package


class NotHere(StripeObject):
    """Stands for classes of parts of the API that no stand-in of ours has, such as issuing cards; nothing is one."""

    never: int


class Names(dict[str, Any]):
    """What annotations of the SDK may name."""

    def __missing__(self, name: str) -> type:
        return NotHere


@cache
def classes() -> dict[str, Any]:
    """Every class of the SDK by its name, those that it imports under another name while types are checked as well."""
    found: dict[str, Any] = {}
    for module in _modules():
        found.update({name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, StripeObject)})
    return found | {"CardResource": stripe.Card, "DisputeResource": stripe.Dispute}


def _modules() -> Iterator[types.ModuleType]:
    for entry in pkgutil.iter_modules(stripe.__path__):
        if entry.name.startswith("_") and not entry.name.endswith(("_service", "_client")):
            yield importlib.import_module(f"stripe.{entry.name}")


def class_of(value: dict[str, Any]) -> type:
    """The SDK's class of an object, by the name it gives itself."""
    if value.get("deleted"):
        return typing.cast(type, stripe.Customer)
    found: type = importlib.import_module("stripe._object_classes").get_object_class("V1", value["object"])
    return found
