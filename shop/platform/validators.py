"""Pages of strangers can be asked about again without being sent again (docs/decisions/0032).

The tag of a page is made from its text without the token of its forms, and from the secret behind that token: whoever kept the page
and still holds the same cookie may go on using the token on it. For anybody else the tag does not match, and the page is sent anew.
A message that is shown once is part of the text: the page without it has another tag.
"""

from __future__ import annotations

import hashlib

from flask import Flask, Response, g, request, session

LENGTH = 32


def is_strangers_page(response: Response) -> bool:
    """Whether this answer is a whole page for somebody who is not signed in."""
    actor = g.get("actor")
    return (
        request.method in {"GET", "HEAD"}
        and response.status_code == 200
        and response.mimetype == "text/html"
        and not response.is_streamed
        and actor is not None
        and not actor.is_signed_in
        and "csp_nonce" not in g
        and "ETag" not in response.headers
    )


def tag_of(response: Response) -> str:
    token = str(g.get("csrf_token", ""))
    text = response.get_data()
    digest = hashlib.sha256(text.replace(token.encode(), b"") if token else text)
    digest.update(str(session.get("csrf_token", "")).encode())
    return digest.hexdigest()[:LENGTH]


def add_validator(response: Response) -> Response:
    if is_strangers_page(response):
        response.set_etag(tag_of(response))
        response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    app.after_request(add_validator)
