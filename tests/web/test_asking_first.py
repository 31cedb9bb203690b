"""Before something hard to take back one question is asked; only a yes to exactly that question goes on."""

from __future__ import annotations

import pytest
from flask import Flask

from shop.platform.sure import ask_first, yes_to

QUESTION = "Cancel order L1? ¥20.00 go back to your wallet."


def answer(app: Flask, **fields: str) -> str | None:
    with app.test_request_context("/orders/L1/cancel", method="POST", data=fields, headers={"Referer": "http://localhost/orders/L1"}):
        page = ask_first(QUESTION, yes="Cancel it")
        assert page is None or isinstance(page, str)
        return page


def test_the_question_is_asked_with_all_that_was_sent_and_a_way_back(app: Flask) -> None:
    page = answer(app, reason='too "late" <b>', amount="1,50", csrf_token="old")
    assert page is not None
    assert QUESTION in page
    assert 'name="reason" value="too &#34;late&#34; &lt;b&gt;"' in page
    assert 'name="amount" value="1,50"' in page
    assert page.count('name="csrf_token"') == 1
    assert f'name="sure" value="{yes_to(QUESTION)}"' in page
    assert 'href="/orders/L1"' in page


def test_a_yes_to_exactly_this_question_goes_on(app: Flask) -> None:
    assert answer(app, sure=yes_to(QUESTION)) is None


@pytest.mark.parametrize("said", ["", "1", "yes", yes_to("Cancel order L1? ¥10.00 go back to your wallet."), yes_to(QUESTION).upper(), "ä"])
def test_any_other_yes_is_asked_anew(app: Flask, said: str) -> None:
    page = answer(app, sure=said)
    assert page is not None
    assert page.count('name="sure"') == 1
