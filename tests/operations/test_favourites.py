"""What people like, and what they are told when it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.catalog.errors import ProductNotFound
from shop.favourites import jobs, operations, queries
from shop.favourites.errors import TooManyFavourites
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import User, UserState
from shop.models.catalog import Product, ProductState, Variant
from shop.models.favourites import Favourite
from shop.models.pickup import Cycle, PickupPoint
from shop.models.platform import Job, Notice
from shop.models.stock import StockItem
from shop.platform import outbox
from shop.platform.actor import Actor
from tests.support.factories import Factories, actor_of


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    return make.point("here")


@pytest.fixture
def orange(make: Factories, point: PickupPoint) -> Variant:
    return make.product(make.merchant("coop", points=[point]), code="orange")


@pytest.fixture
def reader(make: Factories, point: PickupPoint) -> Actor:
    return actor_of(make.user(point=point))


def leave(variant: Variant, left: int) -> None:
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == variant.id).values(on_hand=left))


def look() -> None:
    """One round of looking, and the jobs it asked for."""
    reading().rollback()
    jobs.look()
    while waiting := list(reading().scalars(sa.select(Job.arguments).where(Job.kind == operations.TELL, Job.state == "queued"))):
        reading().rollback()
        for arguments in waiting:
            jobs.tell(**arguments)
        with transaction() as session:
            session.execute(sa.delete(Job).where(Job.kind == operations.TELL))
    reading().rollback()


def told(actor: Actor) -> int:
    reading().rollback()
    return reading().scalar(
        sa.select(sa.func.count()).select_from(Notice).where(Notice.user_id == actor.user_id, Notice.kind == "favourites.back")
    ) or 0


def is_waiting(actor: Actor) -> bool:
    reading().rollback()
    return reading().scalar(sa.select(Favourite.gone_at).where(Favourite.user_id == actor.user_id)) is not None


def test_liked_twice_is_one_favourite_and_taken_away_twice_is_none(reader: Actor, orange: Variant) -> None:
    perform(operations.keep, reader, "orange")
    perform(operations.keep, reader, "orange")
    assert queries.kept_ids(reading(), reader.signed_in_id()) == {orange.product_id}
    reading().rollback()
    perform(operations.drop, reader, "orange")
    perform(operations.drop, reader, "orange")
    assert queries.kept_ids(reading(), reader.signed_in_id()) == frozenset()
    reading().rollback()
    perform(operations.keep, reader, "orange")
    assert reading().scalar(sa.select(sa.func.count()).select_from(Favourite)) == 1, "the same row again"


def test_what_is_not_there_or_not_on_sale_is_refused_and_nothing_is_kept(reader: Actor, orange: Variant) -> None:
    with transaction() as session:
        session.execute(sa.update(Product).values(state=ProductState.OFF_SALE))
    for slug in ("orange", "nothing"):
        with pytest.raises(ProductNotFound):
            perform(operations.keep, reader, slug)
    assert queries.kept_ids(reading(), reader.signed_in_id()) == frozenset()


def test_one_more_than_the_most_is_refused_and_nothing_is_kept(
    reader: Actor, orange: Variant, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST", 1)
    perform(operations.keep, reader, "orange")
    make.product(code="pear")
    with pytest.raises(TooManyFavourites):
        perform(operations.keep, reader, "pear")
    assert queries.kept_ids(reading(), reader.signed_in_id()) == {orange.product_id}


def test_what_was_sold_out_and_is_back_is_told_once_to_whoever_likes_it_and_to_nobody_else(
    reader: Actor, orange: Variant, make: Factories, point: PickupPoint
) -> None:
    other = actor_of(make.user(point=point))
    perform(operations.keep, reader, "orange")
    look()
    leave(orange, 0)
    look()
    assert is_waiting(reader)
    assert told(reader) == 0
    leave(orange, 5)
    look()
    look()
    assert told(reader) == 1
    assert told(other) == 0
    assert not is_waiting(reader)


def test_what_is_liked_while_it_is_sold_out_is_waited_for(reader: Actor, orange: Variant) -> None:
    leave(orange, 0)
    perform(operations.keep, reader, "orange")
    leave(orange, 1)
    look()
    assert told(reader) == 1


def test_what_was_never_sold_out_is_not_told(reader: Actor, orange: Variant) -> None:
    perform(operations.keep, reader, "orange")
    look()
    leave(orange, 900)
    look()
    assert told(reader) == 0


def test_goods_that_come_and_go_are_told_once_a_day(reader: Actor, orange: Variant) -> None:
    perform(operations.keep, reader, "orange")
    for _ in range(3):
        leave(orange, 0)
        look()
        leave(orange, 5)
        look()
    assert told(reader) == 1
    assert not is_waiting(reader), "it is not told later either"


def test_on_another_day_it_is_told_again(reader: Actor, orange: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(orange, 0)
    perform(operations.keep, reader, "orange")
    leave(orange, 5)
    look()
    leave(orange, 0)
    look()
    leave(orange, 5)
    tomorrow = clock.today() + timedelta(days=1)
    monkeypatch.setattr(clock, "today", lambda: tomorrow)
    look()
    assert told(reader) == 2


def test_nobody_is_told_before_it_can_come_to_their_point(reader: Actor, orange: Variant) -> None:
    leave(orange, 0)
    perform(operations.keep, reader, "orange")
    leave(orange, 5)
    with transaction() as session:
        session.execute(sa.update(Cycle).values(booked=Cycle.capacity))
    look()
    assert told(reader) == 0
    assert is_waiting(reader)
    with transaction() as session:
        session.execute(sa.update(Cycle).values(booked=0))
    look()
    assert told(reader) == 1


def test_whoever_takes_it_away_is_not_told(reader: Actor, orange: Variant) -> None:
    leave(orange, 0)
    perform(operations.keep, reader, "orange")
    perform(operations.drop, reader, "orange")
    leave(orange, 5)
    look()
    assert told(reader) == 0


def test_held_goods_and_fewer_than_one_must_take_are_still_sold_out(reader: Actor, orange: Variant) -> None:
    with transaction() as session:
        session.execute(sa.update(Variant).values(minimum_quantity=5))
        session.execute(sa.update(StockItem).values(on_hand=10, reserved=6))
    perform(operations.keep, reader, "orange")
    assert is_waiting(reader)


def test_looking_writes_nothing_while_nothing_changes(reader: Actor, orange: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(operations.keep, reader, "orange")
    leave(orange, 0)
    look()
    written: list[object] = []
    monkeypatch.setattr(jobs, "perform", lambda *work: written.append(work))
    jobs.look()
    assert written == []


def test_favourites_are_forgotten_in_their_time(reader: Actor, orange: Variant, make: Factories) -> None:
    gone = actor_of(make.user())
    old = make.product(code="old")
    for actor, slug in ((reader, "orange"), (gone, "orange"), (reader, "old")):
        perform(operations.keep, actor, slug)
    perform(operations.drop, reader, "orange")
    assert perform(operations.prune) == 0
    with transaction() as session:
        long_ago = clock.now() - timedelta(days=366)
        session.execute(sa.update(Favourite).where(Favourite.ended_at.is_not(None)).values(ended_at=clock.now() - timedelta(days=31)))
        session.execute(sa.update(User).where(User.id == gone.user_id).values(state=UserState.CLOSED))
        session.execute(sa.update(Product).where(Product.id == old.product_id).values(state=ProductState.OFF_SALE, updated_at=long_ago))
    assert perform(operations.prune) == 3
    assert reading().scalar(sa.select(sa.func.count()).select_from(Favourite)) == 0


def test_looking_and_telling_are_jobs_in_the_lane_of_notices() -> None:
    assert outbox.HANDLERS["favourites.look"].lane == outbox.SOON
    assert outbox.HANDLERS[operations.TELL].lane == outbox.SOON
