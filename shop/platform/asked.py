"""The one gate for what stands in addresses and simple forms: `address.text("q", 60)`, `sent.each("ticked", most=100)`.

Two ways of reading, by who wrote the value. What a *person types* is read strictly: what cannot be used is refused with a sentence
naming the field (422). What only *our own links* write (the place in a list, its order and size, a tab) means the usual when it means
nothing, because there is nobody to tell and the page is still right. Neither is ever a fault. Parts of paths are read by the
converters below: what is none is not found (404).

Forms with fields of their own are `shop.platform.forms`; bodies of the API are schemas with the types of `shop.platform.api.fields`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from datetime import date
from urllib.parse import SplitResult, urlsplit

from flask import Flask, request
from werkzeug.datastructures import MultiDict
from werkzeug.routing import BaseConverter, ValidationError

from shop.kernel import gate
from shop.kernel.text import clean
from shop.platform.here import this_request

LONGEST_WORD = 80
LONGEST_PATH = 2_000


class Asked:
    """The values of one source: each is read by its name, with what is known about it."""

    def __init__(self, values: Callable[[], MultiDict[str, str]]) -> None:
        self._values = values

    def names(self) -> set[str]:
        """What is said at all."""
        return set(self._values())

    def has(self, name: str) -> bool:
        return name in self._values()

    def raw(self, name: str, limit: int) -> str:
        """The value as it was written, cut to `limit`: for a reader with a gate of its own, such as of weights and prices. Never kept."""
        return self._values().get(name, "")[:limit]

    def text(self, name: str, limit: int) -> str:
        """What a person typed: NFC, trimmed, without control characters. Raises `UnreadableText`, `TextTooLong` naming the field."""
        return clean(self._values().get(name, ""), limit, field=name)

    def word(self, name: str, limit: int = LONGEST_WORD) -> str:
        """A value that is compared with known ones; empty when it cannot be one."""
        return gate.word(self._values().get(name, ""), limit)

    def each(self, name: str, most: int, limit: int = LONGEST_WORD) -> list[str]:
        """Every such value of a name, at most `most`; what cannot be one is left out."""
        return [word for value in self._values().getlist(name)[:most] if (word := gate.word(value, limit))]

    def choice(self, name: str, choices: Collection[str], usual: str = "") -> str:
        """One of the choices, else the usual one."""
        said = self.word(name)
        return said if said in choices else usual

    def is_on(self, name: str) -> bool:
        """Whether a switch is on: `1` and nothing else."""
        return self._values().get(name) == "1"

    def number(self, name: str, otherwise: int = 0, most: int = gate.MOST_NUMBER) -> int:
        """A whole number from 0 to `most` that our own links write; `otherwise` when it makes no sense."""
        found = gate.number(self._values().get(name, ""), 0, most)
        return otherwise if found is None else found

    def numbers(self, name: str, most: int) -> list[int]:
        """Ids among at most `most` values of a name; what is none is left out."""
        return [found for value in self._values().getlist(name)[:most] if (found := gate.number(value, 1)) is not None]

    def place(self, name: str = "cursor") -> int | None:
        """Where a list goes on: an id of ours; none is the beginning."""
        return gate.number(self._values().get(name, ""), 1)

    def size(self, sizes: Sequence[int], name: str = "size") -> int:
        """How many rows a page shows: one of the sizes on offer, else the smallest."""
        said = self.word(name)
        return next((size for size in sizes if str(size) == said), sizes[0])

    def sort(self, columns: Collection[str], usual: str, name: str = "sort") -> str:
        """By what a list is sorted: a known column, with a minus from the top down."""
        said = self.word(name)
        return said if said.removeprefix("-") in columns else usual

    def month(self, name: str = "month") -> date | None:
        """The first day of a month; none for no month."""
        return gate.month(self._values().get(name, ""))

    def path(self, name: str = "next") -> str:
        """A way back as it was written, for `local_path` to judge; empty when it is too long to be one."""
        said = self._values().get(name, "")
        return said if len(said) <= LONGEST_PATH else ""

    def beginning_with(self, prefix: str, most: int, limit: int) -> dict[str, str]:
        """The fields of a table whose names begin so, at most `most`, each value cut to `limit`: for a reader with a gate of its own."""
        named = [(name, value[:limit]) for name, value in self._values().items() if name.startswith(prefix) and len(name) <= LONGEST_WORD]
        return dict(named[:most])

    def everything(self, most: int, leave_out: Collection[str] = ()) -> list[tuple[str, str]]:
        """All that was said, as it was written, for a page that sends it once more; at most `most` values."""
        return [(name, value) for name, value in self._values().items(multi=True) if name not in leave_out][:most]


address = Asked(lambda: this_request().args)
"""What stands behind the `?`."""

sent = Asked(lambda: this_request().form)
"""What a form sends."""


def uploaded(name: str, limit: int) -> tuple[str, bytes]:
    """A file that a form sends: the last part of its name as the browser says it, which is not to be believed, and at most `limit` + 1
    bytes, so that one too many is seen. Both empty when there is none.
    """
    found = request.files.get(name)
    if found is None:
        return "", b""
    return gate.word(last_part(found.filename)[-LONGEST_WORD:], LONGEST_WORD), found.stream.read(limit + 1)


def uploads(name: str, most: int, limit: int) -> list[tuple[str, bytes]]:
    """All files of one name that a form sends, as `uploaded` reads one: at most `most` + 1, so that one too many is seen. A field that was
    left empty sends none.
    """
    found = [one for one in request.files.getlist(name) if one.filename][: most + 1]
    return [(gate.word(last_part(one.filename)[-LONGEST_WORD:], LONGEST_WORD), one.stream.read(limit + 1)) for one in found]


def last_part(file_name: str | None) -> str:
    return (file_name or "").replace("\\", "/").rpartition("/")[2]


def came_from() -> SplitResult:
    """The page the browser says it comes from, in its parts; all of them empty when it says none or what it says is no address."""
    try:
        return urlsplit(request.referrer or "")
    except ValueError:
        return urlsplit("")


class IdConverter(BaseConverter):
    """`<id:job_id>`: an id as the database gives them, above 0 and within 63 bits. Anything else is not found."""

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        found = gate.number(value, 1)
        if found is None:
            raise ValidationError(value)
        return found


class WordConverter(BaseConverter):
    """`<slug>`, `<number>`: one part of a path, at most 200 characters, none of them a control character. Anything else is not found."""

    regex = r"[^/]{1,200}"

    def to_python(self, value: str) -> str:
        if not gate.is_readable(value):
            raise ValidationError(value)
        return unicodedata.normalize("NFC", value)


def init_app(app: Flask) -> None:
    """Before any route is registered: its parts are read by these."""
    app.url_map.converters.update(id=IdConverter, default=WordConverter, string=WordConverter)
