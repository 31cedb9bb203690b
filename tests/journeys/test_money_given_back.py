"""Money given back at the provider's side, then a cancel here: the order, the message and the staff's page tell the same, in figures."""

from __future__ import annotations

import pytest

from tests.support.browsing import People, Visitor
from tests.support.callers import RESIDENT, Caller
from tests.support.running import House, wait_until

pytestmark = pytest.mark.browser

OPERATOR = "13800000031"
FIGS = {"fig-dried": 2}


def bought_by_card(house: House) -> tuple[str, str, str]:
    """An order of ¥43.60, paid; its number, and its payment here and at the provider."""
    house.stripe(webhooks="on", refunds="sync")
    mei = Caller.signed_in(house, RESIDENT)
    placed = mei.buy(FIGS, "stripe")
    assert placed["total_minor"] == 4_360
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    mei.close()
    ref = placed["payment"]["ref"]
    ((intent,),) = house.rows("SELECT provider_intent FROM payments WHERE ref = :ref", ref=ref)
    return placed["number"], ref, str(intent)


def reads_back(somebody: Visitor, path: str, *amounts: str) -> None:
    somebody.open(path)
    for sentence, amount in zip(("¥%(amount)s given back", "¥%(amount)s on its way back"), amounts, strict=False):
        if amount:
            somebody.sees(somebody.say(sentence, amount=amount))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_ten_yuan_given_back_there_before_a_cancel_here(house: House, people: People, language: str) -> None:
    number, ref, intent = bought_by_card(house)
    house.stripe(webhooks="off", refunds="sync")
    house.stripe("/refund", payment_intent=intent, amount=1_000)
    mei = people.visitor("mei", RESIDENT, language)
    mei.sign_in(f"/orders/{number}")
    house.stripe(refunds="no_balance")
    mei.open(f"/orders/{number}")
    mei.press("Cancel the order")
    mei.page.locator("dialog.sure button").first.click()
    mei.reads("Cancelled. %(back)s.")
    both = (
        "SELECT count(*) FROM refunds JOIN payments ON payments.id = refunds.payment_id "
        "WHERE payments.ref = :ref AND refunds.provider_ref IS NOT NULL AND refunds.state <> 'failed'"
    )
    wait_until(lambda: house.number(both, ref=ref) == 2, 20, "both refunds of this payment being known")
    for path in (f"/orders/{number}", "/orders", f"/payments/{ref}"):
        reads_back(mei, path, "10.00", "33.60")
    mei.open("/notices")
    mei.sees(mei.say("¥%(amount)s of what you paid goes back to where you paid from.", amount="10.00"))
    operator = people.visitor("operator", OPERATOR, language, wide=True)
    operator.sign_in("/second-factor")
    operator.confirm("/admin/")
    reads_back(operator, f"/admin/orders/{number}", "10.00", "33.60")
    ((waiting,),) = house.rows("SELECT provider_ref FROM refunds WHERE state = 'sent'")
    house.stripe("/settle", refund=waiting)
    house.advance(minutes=2)
    wait_until(lambda: house.number("SELECT count(*) FROM refunds WHERE state = 'sent'") == 0, 20)
    for path in (f"/orders/{number}", "/orders", f"/payments/{ref}"):
        reads_back(mei, path, "43.60")
    reads_back(operator, f"/admin/orders/{number}", "43.60")
    assert house.verify() == []
