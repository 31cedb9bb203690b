"""Names as hostile as they come on every page, and no page that prints one as it is."""

from __future__ import annotations

from flask import Flask, Response

from tests.support.factories import SHARP


def hold_pages_to_escaping(app: Flask) -> None:
    """Fail on a page that holds the sharp end of a name unescaped."""

    @app.after_request
    def look(answer: Response) -> Response:
        if answer.mimetype == "text/html" and not answer.is_streamed and not answer.headers.get("Content-Encoding"):
            text = answer.get_data(as_text=True)
            assert SHARP not in text, f"a name is not escaped: ...{text[max(text.index(SHARP) - 120, 0):][:160]}"
        return answer
