"""The API's description held against what the API answers, in every test that asks it anything."""

from __future__ import annotations

from flask import Flask, Response, request

from shop.api.v1 import openapi


def hold_answers_against_description(app: Flask) -> None:
    """Fail on an answer of the API with a status or a kind of content that its description does not name."""

    @app.after_request
    def compare(answer: Response) -> Response:
        rule = request.url_rule
        if rule is not None and rule.rule.startswith("/api/v1/") and request.method not in {"HEAD", "OPTIONS"}:
            what = f"{request.method} {rule.rule} answers"
            told = openapi.document()["paths"].get(openapi.PLACE.sub(r"{\g<name>}", rule.rule), {}).get(request.method.lower())
            if told is not None:
                assert str(answer.status_code) in told["responses"], f"{what} {answer.status_code}: {answer.text}"
                kinds = told["responses"][str(answer.status_code)].get("content")
                assert kinds is None or answer.mimetype in kinds, f"{what} {answer.mimetype}"
        return answer
