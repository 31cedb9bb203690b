"""Asking before something that a person may do by mistake: one question, with script a sheet, without it a page.

A view that does such a thing begins with `if page := ask_first(...): return page`. The page keeps all that was sent and sends it
again with a yes to exactly this question: where the question names sums, and one changes meanwhile, it is asked anew.
"""

from __future__ import annotations

import hashlib

from flask import Flask, render_template
from flask.typing import ResponseReturnValue

from shop.platform.asked import sent
from shop.platform.http import this_page

SURE = "sure"
MOST_FIELDS = 200


def yes_to(question: str) -> str:
    """What the field `sure` holds when somebody said yes to this question. No secret: forms are guarded by their token."""
    return hashlib.sha256(question.encode()).hexdigest()[:32]


def is_sure(question: str) -> bool:
    """Whether the form that was sent says yes to exactly this question."""
    return sent.word(SURE) == yes_to(question)


def ask_first(
    question: str, *, yes: str, no: str = "", detail: str = "", is_grave: bool = True, back: str = ""
) -> ResponseReturnValue | None:
    """None when the person is sure; else the page that asks, with every field of the form in it.

    `question` is a whole sentence and says what is at stake (the number, the sum), `yes` and `no` are what the buttons do;
    a step that is not grave has a friendly button. A no leads `back`, by itself to the page it came from: a form that is
    long to fill in names an address that fills it in again. Nothing must have been changed before.
    """
    if is_sure(question):
        return None
    fields = sent.everything(MOST_FIELDS, leave_out={SURE, "csrf_token"})
    return render_template(
        "layout/sure.html", question=question, detail=detail, yes=yes, no=no, is_grave=is_grave, fields=fields, sure=yes_to(question),
        back=back or this_page(),
    )  # fmt: skip


def init_app(app: Flask) -> None:
    app.jinja_env.globals["yes_to"] = yes_to
