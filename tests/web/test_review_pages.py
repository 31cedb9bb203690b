"""Reviews on pages: below goods and on cards, on orders, in one's list, at the shop's console and on the operators' desk."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel.db import perform, reading
from shop.models.accounts import Role, User
from shop.models.orders import Purchase
from shop.models.reviews import ReportKind, Review, ReviewReport, ReviewState
from shop.reviews import operations
from tests.support.factories import Factories, actor_of
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.reviews import Reviewing, review_of
from tests.support.shopping import count


@pytest.fixture
def shop(app: Flask, make: Factories) -> Reviewing:
    return Reviewing(make)


@pytest.fixture
def operator(make: Factories) -> User:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    return user


def look(client: FlaskClient, address: str, status: int = 200) -> str:
    client.set_cookie("locale", "en")
    answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return answer.get_data(as_text=True)


def send(client: FlaskClient, address: str, **fields: str) -> tuple[int, str]:
    """Fill in a form and send it; a question that is asked first is answered with yes."""
    client.set_cookie("locale", "en")
    answer = client.post(address, data=fields)
    if answer.status_code == 200 and (sure := re.search(r'name="sure" value="([^"]+)"', answer.text)):
        answer = client.post(address, data={**fields, "sure": sure[1]})
    return answer.status_code, answer.get_data(as_text=True)


def order_of(user: User) -> str:
    reading().rollback()
    return reading().scalars(sa.select(Purchase.number).where(Purchase.user_id == user.id).order_by(Purchase.id.desc())).first() or ""


def test_from_the_order_to_the_review_below_the_goods(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer(display_name="张三丰")
    line_id = shop.collected(buyer)
    sign_in(client, buyer)
    order = look(client, f"/orders/{order_of(buyer)}")
    assert f'href="/reviews/lines/{line_id}"' in order
    assert "Write a review" in order
    assert "Rice" in look(client, "/reviews")
    assert send(client, f"/reviews/lines/{line_id}", stars="4", text="好米\r\n真香")[0] == 303
    page = look(client, "/products/rice")
    assert "张**" in page
    assert "张三丰" not in re.sub(r"<header.*?</header>", "", page, flags=re.S)
    assert "好米\n真香" in page
    assert "Your review" in look(client, f"/orders/{order_of(buyer)}")
    assert "Nothing to review" in look(client, "/reviews")
    assert "好米" in look(client, "/reviews?tab=written")
    assert "好米" in look(client, "/products/rice/reviews")


def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    sign_in(client, buyer)
    for fields, said in (
        ({"text": "typed words"}, "Please choose one to five stars."),
        ({"text": "typed words", "stars": "6"}, "Please choose one to five stars."),
        ({"text": "typed words", "stars": "x" * 500}, "too long"),
        ({"text": "typed words" + "x" * 1_000, "stars": "5"}, "too long"),
    ):
        status, page = send(client, f"/reviews/lines/{line_id}", **fields)
        assert (status, said in page, "typed words" in page) == (422, True, True), fields
    assert count(Review) == 0


def test_what_was_not_collected_is_said_to_be_so(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer()
    shop.ready(buyer, {"rice": 1})
    reading().rollback()
    line_id = reading().scalars(sa.text("SELECT MAX(id) FROM order_lines")).one()
    sign_in(client, buyer)
    assert "Write a review" not in look(client, f"/orders/{order_of(buyer)}")
    assert "once you have collected it" in look(client, f"/reviews/lines/{line_id}")
    assert send(client, f"/reviews/lines/{line_id}", stars="5")[0] == 409
    assert count(Review) == 0


def test_taking_back_asks_first_and_can_be_undone(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer, 5, "很新鲜")
    sign_in(client, buyer)
    assert client.post(f"/reviews/lines/{line_id}/take-back").status_code == 200
    assert review_of(line_id).state is ReviewState.SHOWN
    assert send(client, f"/reviews/lines/{line_id}/take-back")[0] == 303
    assert "很新鲜" not in look(client, "/products/rice")
    assert "Put it up again" in look(client, f"/reviews/lines/{line_id}")
    assert send(client, f"/reviews/lines/{line_id}", stars="5", text="很新鲜")[0] == 303
    assert "很新鲜" in look(client, "/products/rice")


def test_something_is_added_and_the_shop_answers(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    sign_in(client, buyer)
    assert send(client, f"/reviews/lines/{line_id}/follow-up", follow_up="")[0] == 422
    assert send(client, f"/reviews/lines/{line_id}/follow-up", follow_up="还是好的")[0] == 303
    clerk = shop.clerk_users[0]
    sign_in(client, clerk, second_factor=True)
    assert "Not answered" in look(client, "/merchant/reviews")
    one = f"/merchant/reviews/{review_of(line_id).id}"
    assert "还是好的" in look(client, one)
    assert send(client, one, answer="")[0] == 422
    assert send(client, one, answer="谢谢光临")[0] == 303
    assert "Everything is answered" in look(client, "/merchant/reviews")
    assert "Correct the answer" in look(client, one)
    page = look(client, "/products/rice")
    assert "还是好的" in page
    assert "谢谢光临" in page
    assert "/merchant/reviews" in look(client, "/merchant/")


def test_a_report_is_decided_by_an_operator(client: FlaskClient, shop: Reviewing, operator: User) -> None:
    line_id = shop.said(shop.buyer(), 1, "加我微信")
    review_id = review_of(line_id).id
    sign_in(client, shop.buyer())
    assert send(client, f"/reviews/{review_id}/report", words="typed")[0] == 422
    assert send(client, f"/reviews/{review_id}/report", kind="advert", words="拉人")[0] == 303
    assert count(ReviewReport) == 1
    sign_in(client, operator, second_factor=True)
    queue = look(client, "/admin/reviews")
    assert "拉人" in queue
    assert "/admin/reviews" in look(client, "/admin/")
    one = f"/admin/reviews/{review_id}"
    assert "Hide it" in look(client, one)
    assert send(client, f"{one}/hide", reason="")[0] == 422
    assert send(client, f"{one}/hide", reason="广告")[0] == 303
    assert "加我微信" not in look(client, "/products/rice")
    assert look(client, f"/reviews/{review_id}/report", 404)
    assert "广告" in look(client, "/admin/reviews?tab=hidden")
    assert send(client, f"{one}/show")[0] == 303
    assert "加我微信" in look(client, "/products/rice")
    assert send(client, f"{one}/keep")[0] == 303
    assert "Nothing waits" in look(client, "/admin/reviews")


def test_reviews_are_read_by_stars_and_page_by_page(client: FlaskClient, shop: Reviewing) -> None:
    for stars in (5, 4, 3, 2, 1, 5):
        shop.said(shop.buyer(), stars, f"{stars} of them")
    page = look(client, "/products/rice")
    assert len(re.findall('class="review"', page)) == 3
    assert "Read all 6 reviews" in page
    assert len(re.findall('class="review"', look(client, "/products/rice/reviews?stars=good"))) == 3
    assert len(re.findall('class="review"', look(client, "/products/rice/reviews?stars=middling"))) == 1
    assert len(re.findall('class="review"', look(client, "/products/rice/reviews?stars=bad"))) == 2
    for wrong in ("stars=x", "cursor=x", "stars=good&cursor=999999999999999999999"):
        assert len(re.findall('class="review"', look(client, f"/products/rice/reviews?{wrong}"))) in (3, 6)
    assert look(client, "/products/nothing/reviews", 404)


def test_cards_say_what_the_stars_come_to(client: FlaskClient, shop: Reviewing) -> None:
    shop.said(shop.buyer(), 5)
    page = look(client, f"/shops/{shop.merchants[0].code}")
    assert "4.2 of 5" in page
    assert "1 review" in page


def test_pages_ask_as_much_for_many_reviews_as_for_one(client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer(money=1_000_000)
    line_ids = [shop.said(buyer)]
    addresses = ("/products/rice", "/products/rice/reviews", "/reviews", "/reviews?tab=written", f"/shops/{shop.merchants[0].code}")
    sign_in(client, buyer)

    def asked() -> list[int]:
        numbers = []
        for address in (*addresses, f"/orders/{order_of(buyer)}"):
            look(client, address)
            with counted() as said:
                look(client, address)
            numbers.append(len(said))
        return numbers

    before = asked()
    line_ids += [shop.said(buyer) for _ in range(4)]
    shop.collected(buyer)
    perform(operations.report, actor_of(shop.buyer()), review_of(line_ids[0]).id, ReportKind.OTHER, "")
    assert asked() == before
