"""`flask seed demo`: the whole city, true to the rules, the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from demo import catalogue, command, files, scale
from demo.command import Plan, fill, group
from shop.counter import jobs as counter
from shop.fulfilment import jobs as fulfilment
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import Role, RoleGrant, User
from shop.models.bills import BillAccount, BillPayment, BillPaymentState
from shop.models.catalog import Listing, Product, ProductImage, SearchTerm
from shop.models.merchants import Merchant
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Pass, PassState
from shop.models.platform import Job, JobState, Notice
from shop.platform.files import FolderStorage
from shop.settlement import jobs as settlement
from shop.wallet import operations as wallet
from shop.wallet import queries as wallets
from tests.conftest import empty_database
from tests.support.books import assert_books_are_right
from tests.support.factories import actor_of
from tests.support.provider import CardProvider

SMALL = Plan(neighbours=4, days=8, has_pictures=False)
SEEN = (
    SubOrderState.PLACED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT, SubOrderState.READY, SubOrderState.COLLECTED,
    SubOrderState.COMPLETED,
)  # fmt: skip
UNFINISHED = (SubOrderState.PLACED, SubOrderState.ACCEPTED, *SEEN[1:-1])


@pytest.fixture
def storage(app: Flask, tmp_path: Path) -> Iterator[FolderStorage]:
    kept = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path)
    yield app.extensions["storage"]
    app.extensions["storage"] = kept


def count(model: type[Any], *conditions: Any) -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


def user(phone: str) -> User:
    return reading().scalars(sa.select(User).where(User.phone == phone)).one()


HOURS = ("0:10", "7:00", "11:30", "13:30", "17:30", "21:00")
ON_BOTH_ENGINES = ((None, "11:30"), (1, "0:10"))


def moment(day: int | None, wall_time: str) -> Any:
    """One case, by its name."""
    marks = () if (day, wall_time) in ON_BOTH_ENGINES else pytest.mark.one_engine
    return pytest.param(day, wall_time, marks=marks, id=f"{'on_a_first' if day else 'today'}-{wall_time}")


MOMENTS = [moment(day, wall_time) for day in (None, 1) for wall_time in HOURS]


def go_to(wall_time: str, day: int | None = None) -> None:
    """Let it be a time of today, or of the next first, second, ... of a month."""
    date = clock.today()
    while day is not None and date.day != day:
        date += timedelta(days=1)
    clock.move(clock.at(date, time.fromisoformat(wall_time.zfill(5))) - clock.now() + clock.shift())


@pytest.mark.parametrize(("day", "wall_time"), MOMENTS)
def test_the_city_is_there_and_its_books_are_right(app: Flask, storage: FolderStorage, day: int | None, wall_time: str) -> None:
    """Whatever the hour it is looked at: goods wait, are packed, are on the road and have been fetched; bills are paid and unclear."""
    go_to(wall_time, day)
    shift = clock.shift()
    steps: list[int] = []
    fill(SMALL, storage, steps.append)
    assert_books_are_right(leave_out=())
    assert sum(steps) == SMALL.steps
    assert count(Product) == count(Listing) == 102
    assert count(Merchant) == 17
    for state in SEEN:
        assert count(SubOrder, SubOrder.state == state), f"nothing is {state}"
    for purchase_state in (PurchaseState.AWAITING_PAYMENT, PurchaseState.PAID, PurchaseState.COMPLETED):
        assert count(Purchase, Purchase.state == purchase_state), f"no purchase is {purchase_state}"
    assert count(BillPayment, BillPayment.state == BillPaymentState.POSTED)
    assert count(BillPayment, BillPayment.state == BillPaymentState.UNKNOWN, BillPayment.handed_over_at.is_not(None)) == 1
    assert count(Notice)
    assert count(Job, Job.state != JobState.DONE) == 0
    assert clock.shift() == shift


def test_a_short_history_leaves_the_books_right_too(app: Flask, storage: FolderStorage) -> None:
    """Few days of buying, and what did not come is paid back: some wallets hold more than was promised."""
    fill(Plan(days=3, has_pictures=False), storage, lambda _step: None)
    assert_books_are_right(leave_out=())


def test_sixty_days_later_everything_has_ended(app: Flask, storage: FolderStorage, stripe: CardProvider) -> None:
    fill(SMALL, storage, lambda _count: None)
    open_before = count(SubOrder, SubOrder.state.in_(UNFINISHED))
    clock.move(timedelta(days=60))
    for work in (settlement.close_overdue, fulfilment.tell_late, counter.end, fulfilment.end, fulfilment.end):
        work()
    assert open_before > 20
    assert count(SubOrder, SubOrder.state.in_(UNFINISHED)) == 0
    assert count(Purchase, Purchase.state.in_((PurchaseState.AWAITING_PAYMENT, PurchaseState.PAID))) == 0
    assert count(Pass, Pass.state == PassState.LIVE) == 0
    assert count(Batch, Batch.state != BatchState.CLOSED) == 0
    assert count(SubOrder, SubOrder.state == SubOrderState.SHORT, SubOrder.refunded_total != SubOrder.total) == 0
    assert wallets.balance(reading(), "escrow").fen == 0
    assert_books_are_right(leave_out=("plumbing.", "bills.", "payments."))


def test_nothing_lies_in_the_future(app: Flask, storage: FolderStorage) -> None:
    fill(SMALL, storage, lambda _count: None)
    latest = [reading().scalar(sa.select(sa.func.max(column))) for column in (Purchase.placed_at, SubOrder.collected_at, Notice.created_at)]
    assert all(moment is not None and moment <= clock.now() for moment in latest)


@pytest.mark.parametrize(("wall_time", "day"), [("0:10", 1), ("11:30", None), ("21:00", None)])
def test_the_people_of_the_handbook_are_there(app: Flask, storage: FolderStorage, wall_time: str, day: int | None) -> None:
    go_to(wall_time, day)
    fill(SMALL, storage, lambda _count: None)
    li_mei, wang_qiang, chen = (user(f"1380000000{digit}") for digit in "123")
    assert (li_mei.display_name, li_mei.verification_level) == ("李梅", 2)
    assert wallets.balance(reading(), f"wallet:{li_mei.id}").fen == 500_00
    facts = wallets.find(reading(), wang_qiang.id)
    assert facts is not None
    assert facts.wallet_class == "I"
    assert chen.is_elder_mode
    assert count(Pass, Pass.user_id == li_mei.id, Pass.state == PassState.LIVE) == 1
    assert count(SubOrder, SubOrder.user_id == li_mei.id, SubOrder.state == SubOrderState.READY)
    assert count(BillAccount, BillAccount.user_id == li_mei.id) >= 4
    assert perform(wallet.check_pin, actor_of(li_mei), "246810").result is wallet.PinResult.RIGHT


def test_staff_hold_their_roles_with_the_demo_authenticator(app: Flask, storage: FolderStorage) -> None:
    fill(SMALL, storage, lambda _count: None)
    grants = sa.select(User.phone, RoleGrant.role).join(RoleGrant, RoleGrant.user_id == User.id)
    held = {phone: role for phone, role in reading().execute(grants) if phone < "139"}
    assert held == {
        "13800000011": Role.MERCHANT_OWNER, "13800000012": Role.MERCHANT_OWNER, "13800000013": Role.MERCHANT_CLERK,
        "13800000021": Role.KEEPER, "13800000022": Role.KEEPER, "13800000031": Role.OPERATOR, "13800000032": Role.FINANCE,
        "13800000033": Role.AUDITOR, "13800000034": Role.OPERATOR,
    }  # fmt: skip
    assert {user(phone).totp_secret for phone in held} == {"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}


def test_the_same_seed_makes_the_same_city(app: Flask, storage: FolderStorage) -> None:
    def summary() -> list[Any]:
        per_person = sa.select(User.phone, User.display_name, sa.func.count(Purchase.id), sa.func.sum(Purchase.total)).outerjoin(Purchase)
        found = [tuple(row) for row in reading().execute(per_person.group_by(User.id).order_by(User.id))]
        reading().rollback()
        return found

    plan = Plan(neighbours=2, days=3, has_pictures=False)
    present = clock.now()
    fill(plan, storage, lambda _count: None)
    first = summary()
    empty_database(app, app.config["DATABASE_URL"])
    clock.move(present - clock.now())
    fill(plan, storage, lambda _count: None)
    assert summary() == first


def test_another_seed_makes_other_people(app: Flask, storage: FolderStorage) -> None:
    names = []
    for seed in (1, 2):
        fill(Plan(neighbours=2, days=3, seed=seed, has_pictures=False), storage, lambda _count: None)
        names.append(list(reading().scalars(sa.select(User.display_name).order_by(User.id))))
        empty_database(app, app.config["DATABASE_URL"])
    assert names[0] != names[1]


def test_running_it_again_changes_nothing_and_says_so(app: Flask, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Plan", lambda **_chosen: Plan(neighbours=1, days=3, has_pictures=False))
    runner = app.test_cli_runner()
    assert runner.invoke(group, ["demo"]).exit_code == 0
    before = {model: count(model) for model in (User, Product, Purchase, Notice, Job)}
    again = runner.invoke(group, ["demo"])
    assert (again.exit_code, again.output) == (0, "There is data already; nothing was changed.\n")
    quiet = runner.invoke(group, ["demo", "--if-empty"])
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert {model: count(model) for model in before} == before


def test_an_interrupted_seeding_leaves_nothing(app: Flask, storage: FolderStorage) -> None:
    def stop(_count: int) -> None:
        if stop.calls == 4:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        stop.calls += 1  # type: ignore[attr-defined]

    stop.calls = 0  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        fill(SMALL, storage, stop)
    assert count(User) == count(Product) == 0
    assert clock.shift().total_seconds() == 0


def test_production_takes_no_demo_data(app: Flask, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "APP_ENV", "production")
    result = app.test_cli_runner().invoke(group, ["demo"])
    assert result.exit_code == 1
    assert "never goes into production" in result.output
    assert count(User) == 0


def test_more_goods_and_people_can_be_added_in_plain_rows(app: Flask, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Plan", lambda **_chosen: Plan(neighbours=1, days=3, has_pictures=False))
    monkeypatch.setattr(scale, "BATCH", 30)
    runner = app.test_cli_runner()
    result = runner.invoke(group, ["demo", "--products", "150", "--residents", "80"])
    assert result.exit_code == 0, result.output
    assert count(Product) == count(Listing) == 150
    assert count(User) == 80
    assert count(SearchTerm, SearchTerm.product_id == reading().scalar(sa.select(sa.func.max(Product.id))))
    assert_books_are_right()
    again = runner.invoke(group, ["demo", "--products", "150", "--residents", "80"])
    assert again.output == "There is data already; nothing was changed.\n"
    runner.invoke(group, ["demo", "--products", "160"])
    assert count(Product) == 160


@pytest.mark.one_engine
def test_every_product_and_merchant_has_a_picture(tmp_path: Path) -> None:
    for kind in ("products", "merchants"):
        kept = catalogue.keep_pictures(FolderStorage(tmp_path), kind, 160, lambda: None)
        assert sorted(kept) == sorted(row["code"] for row in files.rows(kind))
        assert all((tmp_path / name).stat().st_size for name in kept.values())


@pytest.mark.one_engine
def test_pictures_reach_the_products(app: Flask, storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PICTURE_SIZE", 160)
    monkeypatch.setattr(catalogue, "LOGO_SIZE", 160)
    fill(Plan(neighbours=0, days=3), storage, lambda _count: None)
    assert count(ProductImage) == 102
    assert count(Merchant, Merchant.logo.is_not(None)) == 17
