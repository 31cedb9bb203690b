"""What runs low is told once per fall to those who work at the shop, by a round that looks at what moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.accounts import RoleGrant
from shop.models.catalog import Variant
from shop.models.orders import PaymentMethod
from shop.models.platform import Job, Mark, Notice
from shop.models.stock import MovementKind, StockItem
from shop.orders import operations as orders
from shop.platform import marks
from shop.stock import counting, jobs, low, shelves
from shop.stock.errors import LowMarkOutOfRange
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter
from tests.support.factories import Factories, actor_of

LATER = marks.LATE_COMMITS + timedelta(minutes=1)


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", on_hand=10)
    made.goods("salt", on_hand=10)
    made.goods("oil", merchant=1, on_hand=10)
    jobs.watch()  # the first round only notes where the tables end
    perform(low.set_default, made.clerks[0], made.merchants[0].id, 5)
    settle()
    return made


def settle() -> None:
    """The jobs that were asked for."""
    reading().rollback()
    asked = list(reading().scalars(sa.select(Job.arguments).where(Job.kind == low.SETTLE)))
    reading().rollback()
    for arguments in asked:
        jobs.settle(**arguments)
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.kind == low.SETTLE))


def told(user: Any, kind: str = "stock.low") -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(Notice).where(Notice.user_id == user.id, Notice.kind == kind)) or 0


def is_low(code: str) -> bool:
    reading().rollback()
    since = sa.select(StockItem.low_since).join(Variant, Variant.id == StockItem.variant_id).where(Variant.code == code)
    return reading().scalars(since).one() is not None


def move(counter: Counter, kind: MovementKind, quantity: int, code: str = "rice") -> None:
    cause = f"test:{reading().scalar(sa.text('SELECT COUNT(*) FROM stock_movements'))}"
    reading().rollback()
    perform(counting.adjust, counter.clerks[0], code, kind, quantity, cause, sure=lambda _doubt: True)


def asked(work: Callable[[], object]) -> int:
    """How many statements the database gets."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    for engine in database.engines.values():
        sa.event.listen(engine, "before_cursor_execute", note)
    work()
    for engine in database.engines.values():
        sa.event.remove(engine, "before_cursor_execute", note)
    return len(said)


def test_a_shop_is_told_once_when_it_falls_and_again_when_it_has_risen(counter: Counter) -> None:
    clerk = counter.clerk_users[0]
    counter.ordered(counter.buyer(), {"rice": 4})
    jobs.watch()
    assert (told(clerk), is_low("rice")) == (0, False), "six are left"
    counter.ordered(counter.buyer(), {"rice": 1})
    for _ in range(3):
        jobs.watch()
    assert (told(clerk), is_low("rice")) == (1, True)
    counter.ordered(counter.buyer(), {"rice": 1})
    clock.move(clock.shift() + LATER)
    jobs.watch()
    assert told(clerk) == 1, "it falls further, and has fallen already"
    move(counter, MovementKind.RECEIVED, 20)
    jobs.watch()
    assert not is_low("rice")
    clock.move(clock.shift() + LATER)
    move(counter, MovementKind.OFFLINE_SALE, 20)
    jobs.watch()
    jobs.watch()
    assert told(clerk) == 2
    assert told(counter.clerk_users[1]) == 0
    assert_books_are_right()


def test_the_notice_says_what_and_how_many_and_leads_there(counter: Counter) -> None:
    move(counter, MovementKind.SPOILAGE, 7)
    jobs.watch()
    reading().rollback()
    notice = reading().scalars(sa.select(Notice).where(Notice.user_id == counter.clerk_users[0].id, Notice.kind == "stock.low")).one()
    assert (notice.link, notice.facts["left"]) == ("/merchant/stock/rice", 3)
    assert notice.facts["goods"]["zh"].startswith("rice商品")


def test_many_at_once_are_one_notice_to_each_who_works_there(counter: Counter) -> None:
    owner, _ = counter.new_owner(counter.merchants[0])
    gone, _ = counter.new_owner(counter.merchants[0])
    with transaction() as session:
        session.execute(sa.update(RoleGrant).where(RoleGrant.user_id == gone.id).values(revoked_at=clock.now()))
    for code in ("rice", "salt"):
        move(counter, MovementKind.OFFLINE_SALE, 6, code)
    jobs.watch()
    jobs.watch()
    assert [told(user, "stock.low_many") for user in (owner, counter.clerk_users[0], gone)] == [1, 1, 0]
    assert told(owner) == 0


def test_what_is_held_for_a_payment_makes_it_fall_and_a_hold_that_ends_lets_it_rise(counter: Counter) -> None:
    placed = counter.buy(counter.buyer(), {"rice": 6}, PaymentMethod.STRIPE)
    jobs.watch()
    assert (told(counter.clerk_users[0]), is_low("rice")) == (1, True)
    perform(orders.expire, placed.purchase_id)
    jobs.watch()
    assert not is_low("rice")


def test_its_own_figure_goes_before_the_shops(counter: Counter) -> None:
    perform(low.set_mark, counter.clerks[0], "rice", 0)
    move(counter, MovementKind.OFFLINE_SALE, 9)
    jobs.watch()
    assert told(counter.clerk_users[0]) == 0
    move(counter, MovementKind.OFFLINE_SALE, 1)
    jobs.watch()
    assert told(counter.clerk_users[0]) == 1
    few, _ = shelves.list_shelves(reading(), [counter.merchants[0].id], only_few=True)
    assert [(shelf.code, shelf.runs_low_at, shelf.is_few) for shelf in few] == [("rice", 0, True)]


def test_without_a_figure_nobody_is_told(counter: Counter) -> None:
    perform(counting.adjust, counter.clerks[1], "oil", MovementKind.OFFLINE_SALE, 10, "all", sure=lambda _doubt: True)
    jobs.watch()
    assert (told(counter.clerk_users[1]), is_low("oil")) == (0, False)
    few, _ = shelves.list_shelves(reading(), [counter.merchants[1].id], only_few=True)
    assert [shelf.code for shelf in few] == ["oil"], "it is listed all the same"


def test_saying_it_lists_what_is_low_already_and_tells_nobody(counter: Counter) -> None:
    perform(low.set_mark, counter.clerks[0], "rice", 10)
    assert is_low("rice")
    perform(low.set_mark, counter.clerks[0], "rice", 9)
    assert not is_low("rice")
    perform(low.set_default, counter.clerks[0], counter.merchants[0].id, 50)
    settle()
    assert (is_low("rice"), is_low("salt"), is_low("oil")) == (False, True, False)
    perform(low.set_default, counter.clerks[0], counter.merchants[0].id, None)
    settle()
    assert not is_low("salt")
    jobs.watch()
    assert told(counter.clerk_users[0]) == told(counter.clerk_users[0], "stock.low_many") == 0


def test_what_is_not_on_sale_is_nobodys_business(counter: Counter) -> None:
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.code == "rice").values(is_on_sale=False))
    move(counter, MovementKind.OFFLINE_SALE, 8)
    jobs.watch()
    assert told(counter.clerk_users[0]) == 0


@pytest.mark.parametrize("wrong", [-1, 100_001])
def test_a_figure_out_of_range_and_another_shop_are_refused(counter: Counter, wrong: int) -> None:
    with pytest.raises(LowMarkOutOfRange):
        perform(low.set_mark, counter.clerks[0], "rice", wrong)
    with pytest.raises(LowMarkOutOfRange):
        perform(low.set_default, counter.clerks[0], counter.merchants[0].id, wrong)
    for deed, what in ((low.set_mark, "oil"), (low.set_default, counter.merchants[1].id)):
        with pytest.raises(NotFound):
            perform(deed, counter.clerks[0], what, 3)
    with pytest.raises(NotFound):
        perform(low.set_mark, actor_of(counter.buyer()), "rice", 3)


def test_what_commits_late_is_seen_by_a_later_round(counter: Counter) -> None:
    """A row with a lower number than the newest one that a round saw: the mark waits for it."""
    move(counter, MovementKind.OFFLINE_SALE, 6)
    reading().rollback()
    top = low.newest(reading())
    reading().rollback()
    perform(low.go_on, top)
    reading().rollback()
    assert reading().get(Mark, "low:stock_movements").up_to < top["low:stock_movements"]  # type: ignore[union-attr]
    jobs.watch()
    assert told(counter.clerk_users[0]) == 1


def test_a_round_asks_the_same_of_one_fall_and_of_many(counter: Counter, make: Factories) -> None:
    for number in range(30):
        make.product(counter.merchants[0], code=f"thing-{number}", on_hand=10)
    move(counter, MovementKind.OFFLINE_SALE, 6)
    one = asked(jobs.watch)
    for number in range(30):
        move(counter, MovementKind.OFFLINE_SALE, 6, f"thing-{number}")
    assert asked(jobs.watch) == one
