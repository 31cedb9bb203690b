"""Pages of strangers can be asked about again without being sent again (docs/decisions/0032).

The tag of a page is made from its text without the token of its forms, and from the secret behind that token: whoever kept the page
and still holds the same cookie may go on using the token on it. For anybody else the tag does not match, and the page is sent anew.
A message that is shown once is part of the text: the page without it has another tag.
"""

from __future__ import annotations

import hashlib

from flask import Flask, Response, g, request, session

LENGTH = 32
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")
"""What a request says that asks for an answer on conditions; most do not."""


def is_strangers_page(response: Response) -> bool:
    """Whether this answer is a whole page for somebody who is not signed in."""
    if response.status_code != 200 or response.mimetype != "text/html" or response.is_streamed or request.method not in {"GET", "HEAD"}:
        return False
    mine = g._get_current_object()
    actor = mine.get("actor")
    return actor is not None and not actor.is_signed_in and "csp_nonce" not in mine and "ETag" not in response.headers


def tag_of(response: Response) -> str:
    token = str(g.get("csrf_token", ""))
    text = response.get_data()
    digest = hashlib.sha256(text.replace(token.encode(), b"") if token else text)
    digest.update(str(session.get("csrf_token", "")).encode())
    return digest.hexdigest()[:LENGTH]


def add_validator(response: Response) -> Response:
    if is_strangers_page(response):
        response.headers["ETag"] = f'"{tag_of(response)}"'
        if not request.environ.keys().isdisjoint(CONDITIONS):
            response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    app.after_request(add_validator)
