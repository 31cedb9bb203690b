"""How much a request may carry: declared with the route, and held before anything of it is read.

A route says with `takes` how many bytes and form fields it takes; what says nothing takes 64 kB and 200 fields. A length that is
declared is judged before a byte is read, one that is not while it is read, so that a stream without an end ends here as well.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from flask import Flask, Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestURITooLarge
from werkzeug.formparser import FormDataParser

from shop.platform.here import this_request

KILOBYTE = 1024
MOST_IN_ADDRESS = 4_000  # bytes after the question mark

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a route takes: bytes of body, and fields when the body is a form."""

    most_bytes: int = 64 * KILOBYTE
    most_fields: int = 200


USUAL = Allowance()


def takes(most_bytes: int = USUAL.most_bytes, most_fields: int = USUAL.most_fields) -> Callable[[View], View]:
    """Declare a route that takes more than usual, or less (decorator of the view)."""

    def decorate(view: View) -> View:
        view.allowance = Allowance(most_bytes, most_fields)  # type: ignore[attr-defined]
        return view

    return decorate


class FormParser(FormDataParser):
    """Counts the fields of an urlencoded form before it takes them apart; of a multipart form werkzeug does so itself."""

    def parse(self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None) -> Any:
        if mimetype == "application/x-www-form-urlencoded":
            raw = stream.read()
            if self.max_form_parts is not None and raw.count(b"&") >= self.max_form_parts:
                raise RequestEntityTooLarge()
            stream = io.BytesIO(raw)
        return super().parse(stream, mimetype, content_length, options)


class BoundedRequest(Request):
    """A request whose form is counted before it is parsed."""

    form_data_parser_class = FormParser


class Incoming(io.RawIOBase):
    """The body as the server gives it: one that breaks off or is no proper stream is the sender's fault (400), not ours.

    More than `most` bytes are refused (413). Werkzeug's own limit cuts a body without a declared length off there, and half a form
    would be taken for a whole one.
    """

    def __init__(self, source: IO[bytes], declared: int | None, most: int) -> None:
        self._source = source
        self._left = declared
        self._room = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._source.read(len(buffer))
        except Exception as error:  # each server has errors of its own for broken chunks and broken lines
            raise BadRequest() from error
        if self._left is not None:
            if not data and self._left > 0:
                raise BadRequest()
            self._left -= len(data)
        self._room -= len(data)
        if self._room < 0:
            raise RequestEntityTooLarge()
        buffer[: len(data)] = data
        return len(data)


def bound(app: Flask) -> None:
    """Set what this request may carry; refuse what declares more."""
    asked: Request = this_request()
    if len(asked.query_string) > MOST_IN_ADDRESS:
        raise RequestURITooLarge()
    allowance: Allowance = getattr(app.view_functions.get(asked.endpoint or ""), "allowance", USUAL)
    declared = asked.content_length
    asked.max_content_length = allowance.most_bytes + 1  # one more is read, to see that there is more
    asked.max_form_memory_size = allowance.most_bytes
    asked.max_form_parts = allowance.most_fields
    if declared is not None and declared > allowance.most_bytes:
        asked.environ.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})  # nobody further on reads it
        raise RequestEntityTooLarge()
    asked.environ["wsgi.input"] = Incoming(asked.environ["wsgi.input"], declared, allowance.most_bytes)


def init_app(app: Flask) -> None:
    """Before anything that reads a form, such as its protection."""
    app.request_class = BoundedRequest
    app.before_request(lambda: bound(app))
