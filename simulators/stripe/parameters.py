"""Which parameters a call takes, read from the typed parameters that ship with Stripe's own SDK.

Stripe refuses a parameter it does not know. So does this program, at every depth, and it turns the text of the form
into the integers, booleans, lists and objects the SDK declares.
"""

from __future__ import annotations

import sys
import types
import typing
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe.params
import stripe.params.checkout
import typing_extensions
from stripe._request_options import RequestOptions

from simulators.stripe.encoding import flat
from simulators.stripe.errors import ApiError, invalid, missing_parameter

# Gone from the API in 2026-09-30.endive, with an error of its own.
REMOVED = {"payment_method_types"}


@dataclass(frozen=True)
class Shape:
    """What one parameter may be; several may be true of a union."""

    object: type | None = None
    item: Shape | None = None
    mapping: bool = False
    scalars: frozenset[type] = frozenset()
    literals: tuple[str, ...] = ()
    clearable: bool = False


def params_class(name: str) -> type:
    """The SDK's TypedDict of that name, `checkout.` in front for those of Checkout."""
    package = stripe.params.checkout if name.startswith("checkout.") else stripe.params
    declared: type = getattr(package, name.removeprefix("checkout."))
    return declared


@cache
def fields_of(declared: type) -> dict[str, Shape]:
    """The parameters of one TypedDict, without the request options (api_key, idempotency_key, ...) the SDK mixes in."""
    options = set(RequestOptions.__annotations__)
    # Only the top of a call carries the options; a nested object may have a field of the same name.
    skipped = options if options <= set(declared.__annotations__) else set()
    module = declared.__module__
    return {name: _shape(annotation, module) for name, annotation in declared.__annotations__.items() if name not in skipped}


def _shape(annotation: Any, module: str) -> Shape:
    if isinstance(annotation, ForwardRef):
        return _shape(annotation.__forward_arg__, annotation.__forward_module__ or module)
    if isinstance(annotation, str):
        namespace = {**vars(typing), **vars(sys.modules[module])}
        return _shape(eval(annotation, namespace), module)
    origin = get_origin(annotation)
    if origin in (typing.NotRequired, typing.Required, typing_extensions.NotRequired, typing_extensions.Required):
        return _shape(get_args(annotation)[0], module)
    if origin is Union or origin is types.UnionType:
        return _union([_shape(part, module) for part in get_args(annotation)])
    if origin is Literal:
        values = get_args(annotation)
        words = tuple(value for value in values if isinstance(value, str) and value)
        return Shape(literals=words, clearable="" in values, scalars=frozenset({str}) if words else frozenset())
    if origin is list:
        return Shape(item=_shape(get_args(annotation)[0], module))
    if origin is not None:
        return Shape(mapping=True)
    if typing_extensions.is_typeddict(annotation):
        return Shape(object=annotation)
    if isinstance(annotation, type) and issubclass(annotation, (bool, int, float, Decimal, str)):
        return Shape(scalars=frozenset({annotation}))
    return Shape(mapping=True, scalars=frozenset({str}))


def _union(parts: list[Shape]) -> Shape:
    return Shape(
        object=next((part.object for part in parts if part.object), None),
        item=next((part.item for part in parts if part.item), None),
        mapping=any(part.mapping for part in parts),
        scalars=frozenset().union(*(part.scalars for part in parts)),
        literals=tuple(word for part in parts for word in part.literals),
        clearable=any(part.clearable for part in parts),
    )


def checked(tree: dict[str, Any], declared: type) -> dict[str, Any]:
    """The parsed form as typed values. Raises Stripe's 400s for what is unknown, missing or of the wrong type."""
    unknown: list[str] = []
    _collect_unknown(tree, declared, "", unknown)
    if unknown:
        if unknown[0] in REMOVED:
            raise invalid(
                "The parameter `payment_method_types` is no longer supported in this API version. Use dynamic payment "
                "methods, `excluded_payment_method_types` or `allowed_payment_method_types` instead.",
                param=unknown[0],
                code="payment_method_types_no_longer_supported",
            )
        word = "parameters" if len(unknown) > 1 else "parameter"
        raise invalid(f"Received unknown {word}: {', '.join(unknown)}", param=unknown[0], code="parameter_unknown")
    return _object(tree, declared, "")


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _collect_unknown(tree: dict[str, Any], declared: type, prefix: str, unknown: list[str]) -> None:
    fields = fields_of(declared)
    for name, value in tree.items():
        full = _named(prefix, name)
        shape = fields.get(name)
        if shape is None:
            unknown.append(full)
        elif isinstance(value, dict):
            if shape.object is not None:
                _collect_unknown(value, shape.object, full, unknown)
            elif shape.item is not None and shape.item.object is not None:
                for number, element in value.items():
                    if isinstance(element, dict):
                        _collect_unknown(element, shape.item.object, _named(full, number), unknown)


def _object(tree: dict[str, Any], declared: type, prefix: str) -> dict[str, Any]:
    fields = fields_of(declared)
    for name in fields:
        if name in declared.__required_keys__ and name not in tree:  # type: ignore[attr-defined]
            raise missing_parameter(_named(prefix, name))
    return {name: _value(value, fields[name], _named(prefix, name)) for name, value in tree.items()}


def _value(value: Any, shape: Shape, name: str) -> Any:
    if isinstance(value, dict):
        return _nested(value, shape, name)
    if value == "":
        if shape.clearable:
            return ""
        raise invalid(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however "
            f"'{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
            param=name,
            code="parameter_invalid_empty",
        )
    if shape.item is not None and not shape.scalars:
        raise invalid("Invalid array", param=name)
    if not shape.scalars:
        raise invalid("Invalid object", param=name)
    return _scalar(str(value), shape, name)


def _nested(value: dict[str, Any], shape: Shape, name: str) -> Any:
    if shape.item is not None:
        try:
            elements = flat(value)
        except ValueError:
            raise invalid("Invalid array", param=name) from None
        return [_value(element, shape.item, _named(name, str(number))) for number, element in enumerate(elements)]
    if shape.object is not None:
        return _object(value, shape.object, name)
    if shape.mapping:
        for key, entry in value.items():
            if isinstance(entry, dict):
                raise invalid("Invalid string: nested values are not allowed here", param=_named(name, key))
        return dict(value)
    raise invalid("Invalid string: an object was passed", param=name)


def _scalar(text: str, shape: Shape, name: str) -> Any:
    if bool in shape.scalars and text in ("true", "false"):
        return text == "true"
    if int in shape.scalars:
        try:
            return int(text)
        except ValueError:
            raise invalid(f"Invalid integer: {text}", param=name, code="parameter_invalid_integer") from None
    if shape.literals and text not in shape.literals:
        *most, last = shape.literals
        choices = f"{', '.join(most)}, or {last}" if most else last
        raise invalid(f"Invalid {name}: must be one of {choices}", param=name)
    if shape.scalars == {bool}:
        raise invalid(f"Invalid boolean: {text}", param=name)
    return text


def check_metadata(params: dict[str, Any]) -> None:
    """Stripe's limits: 50 keys of 40 characters, values of 500. Looks at `metadata` at the top and one level down."""
    for name, value in params.items():
        if name == "metadata" and isinstance(value, dict):
            _check_metadata(value)
        elif isinstance(value, dict) and isinstance(value.get("metadata"), dict):
            _check_metadata(value["metadata"])


def _check_metadata(metadata: dict[str, str]) -> None:
    if len(metadata) > 50:
        raise _too_long("Metadata can have at most 50 keys.")
    for key, value in metadata.items():
        if len(key) > 40:
            raise _too_long(f"Metadata keys must be under 40 characters. You tried setting one of {len(key)} characters.")
        if len(value) > 500:
            raise _too_long(f"Metadata values must be under 500 characters. You tried setting a {len(value)} character value.")


def _too_long(message: str) -> ApiError:
    return invalid(message, param="metadata")
