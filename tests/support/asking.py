"""Saying yes: `agreed(client, path, data)` posts, reads the question, and says yes to it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def question_of(page: str) -> str:
    """What the page asks, and what it says below; empty when it asks nothing."""
    asked = re.search(r'<h1 class="sure-question">(.*?)</h1>\s*(?:<p>(.*?)</p>)?', page, re.DOTALL)
    return unescape(" ".join(part for part in asked.groups() if part)) if asked else ""


def agreed(client: FlaskClient, path: str, data: dict[str, Any] | None = None, **values: Any) -> Any:
    """Post a form, and post what the question has kept with a yes to it. Fails when nothing is asked."""
    page = client.post(path, data=data or {}).text
    assert question_of(page), page[:2_000]
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(page.partition('class="stack sure"')[2].partition("</form>")[0]):
        fields.setdefault(name, []).append(unescape(value))
    return client.post(path, data=fields, **values)


def question(answer: Any) -> str:
    """What a page asks; empty when it asks nothing."""
    found = re.search(r'class="sure-question">([^<]*)<', answer.text)
    return found[1] if found else ""


def say_yes(client: FlaskClient, address: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
    """Send a form, read the question it is answered with, and send it again with a yes to exactly that; the answer to the second."""
    asked = client.post(address, data=data or {}, **more)
    found = re.search(r'name="sure" value="([0-9a-f]+)"', asked.text)
    assert found, f"{address} asks nothing: {asked.status_code}"
    return client.post(address, data={**(data or {}), "sure": found[1]}, **more)
