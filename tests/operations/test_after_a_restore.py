"""After a restore nothing is sent twice: what stands in the backup as waiting was perhaps sent since, so whoever knows is asked first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.accounts import operations as accounts
from shop.bills import operations
from shop.cli.backup import creating, reconciling
from shop.cli.doctor import examine
from shop.kernel import clock
from shop.kernel.db import database, perform, reading
from shop.kernel.money import Money
from shop.models.accounts import CodePurpose, SessionKind, User, UserSession
from shop.models.bills import BillPaymentState
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentPurpose, PaymentState, Refund, RefundState
from shop.models.platform import Job, JobState
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.platform import outbox, pauses
from shop.platform.files import FolderStorage
from shop.settlement import inquiry
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.factories import Factories, actor_of
from tests.support.gateways import RecordingSms
from tests.support.money import fund
from tests.support.provider import CardProvider, payment_of
from tests.support.second_shops import flask_backup, restored, second_shop
from tests.support.shopping import Shopping

pytestmark = pytest.mark.real_time  # another process looks at the same rows


@pytest.fixture(autouse=True)
def _own_files(app: Flask, tmp_path: Path) -> Iterator[None]:
    before = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path / "media")
    yield
    app.extensions["storage"] = before


def backed_up(app: Flask, folder: Path) -> Path:
    return creating.create(app, folder / "one.backup")[0]


def worked_off() -> int:
    """Let a worker do all it may; how many jobs."""
    perform(outbox.start_periodic)
    return outbox.run_due()


def posts(channel: Channel, serial: str) -> int:
    """How often a payment was sent to its biller, whatever came of it."""
    log = channel.call("GET", "/_control/log")[1]
    return sum(1 for call in log if call["method"] == "POST" and serial in str(call))


def test_a_restored_shop_runs_no_job_until_it_was_reconciled_and_resumed(
    app: Flask, engine_name: str, make: Factories, tmp_path: Path
) -> None:
    make.user()
    backup = backed_up(app, tmp_path)
    with second_shop(app, engine_name, tmp_path) as second:
        restored(second, backup)
        with second.app_context():
            assert worked_off() == 0
            assert reading().scalar(sa.select(sa.func.count()).select_from(Job)) == 0, "not even its rounds are begun"
            with pytest.raises(pauses.NotReconciled):
                perform(pauses.resume)
            assert worked_off() == 0
            said = [diagnosis.sentence for diagnosis in examine(second, as_production=False)]
            assert any("Sending is paused since the restore" in sentence for sentence in said)
            assert second.test_client().get("/readyz").text == "ready, sending is paused\n"
        code, said_of_it = flask_backup(second, "resume")
        assert (code, "have not been asked yet" in said_of_it) == (1, True), said_of_it
        with second.app_context():
            perform(pauses.note_reconciled)
            database.session.rollback()
            perform(pauses.resume)
            assert worked_off() > 0
            with pytest.raises(pauses.NothingPaused):
                perform(pauses.resume)


def test_while_sending_is_paused_nothing_is_begun_that_needs_somebody_outside(app: Flask, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    begin = {"purpose": PaymentPurpose.TOP_UP, "method": PaymentMethod.STRIPE, "amount": Money(10_000)}
    perform(pauses.pause, "one", clock.now())
    with pytest.raises(pauses.SendingPaused):
        perform(payments.start, actor_of(user), **begin)
    with bills.billers_running(app), pytest.raises(pauses.SendingPaused):
        perform(operations.pay_together, actor_of(user), [operations.Wish(Money(1), "key")], PaymentMethod.WALLET)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Payment).where(Payment.method == PaymentMethod.STRIPE)) == 0
    perform(pauses.note_reconciled)
    perform(pauses.resume)
    perform(payments.start, actor_of(user), **begin)


@pytest.mark.parametrize("keeps_serials", [True, False], ids=["keeps serials", "forgets serials"])
def test_a_bill_that_was_sent_after_the_backup_is_asked_about_and_not_sent_again(
    app: Flask, engine_name: str, make: Factories, stripe: CardProvider, tmp_path: Path, keeps_serials: bool
) -> None:
    user = make.user()
    fund(user, 100_000)
    with bills.billers_running(app, settle_seconds=0) as channel:
        with database.engines[None].begin() as connection:
            connection.execute(sa.text("UPDATE billers SET is_idempotent = :keeps"), {"keeps": keeps_serials})
        made = bills.pay(user, bills.add(user, "power", "5110000018"))
        assert made.state is BillPaymentState.FUNDS_HELD
        backup = backed_up(app, tmp_path)
        outbox.run_due()
        assert (bills.payment(made.ref).state, posts(channel, made.serial)) == (BillPaymentState.POSTED, 1)
        with second_shop(app, engine_name, tmp_path) as second:
            restored(second, backup)
            with second.app_context():
                assert bills.payment(made.ref).state is BillPaymentState.FUNDS_HELD
                assert worked_off() == 0
                asked = reconciling.reconcile()
                assert (asked.bills_doubted, asked.bills_answered, asked.bills_silent) == (1, 1, [])
                assert bills.payment(made.ref).state is BillPaymentState.POSTED
                database.session.rollback()
                perform(pauses.resume)
                outbox.run_due()
                assert bills.tries(made.ref) == [("post", "unclear"), ("inquiry", "accepted")]
        assert posts(channel, made.serial) == 1


def test_a_bill_that_never_arrived_is_sent_once_the_biller_has_said_so(
    app: Flask, engine_name: str, make: Factories, stripe: CardProvider, tmp_path: Path
) -> None:
    user = make.user()
    fund(user, 100_000)
    with bills.billers_running(app, settle_seconds=0) as channel:
        made = bills.pay(user, bills.add(user, "power", "5110000018"))
        backup = backed_up(app, tmp_path)
        with second_shop(app, engine_name, tmp_path) as second:
            restored(second, backup)
            with second.app_context():
                reconciling.reconcile()
                assert posts(channel, made.serial) == 0, "asked about only"
                database.session.rollback()
                perform(pauses.resume)
                outbox.run_due()
                assert bills.payment(made.ref).state is BillPaymentState.POSTED
        assert posts(channel, made.serial) == 1


def bought(make: Factories, stripe: CardProvider) -> tuple[int, str]:
    """An order of ¥43.60, paid by card: its payment, its number."""
    shop = Shopping(make)
    shop.goods("goods", price=4_360)
    placed = shop.buy(shop.buyer(), {"goods": 1}, PaymentMethod.STRIPE)
    stripe.pay(placed.payment_id)
    inquiry.settle(placed.payment_id)
    return placed.payment_id, placed.number


def refunds_there(stripe: CardProvider) -> list[int]:
    return [refund.amount for refund in stripe.account.client().v1.refunds.list({}).data]


@pytest.mark.parametrize("was_asked_for", [True, False], ids=["asked for before", "asked for after"])
def test_a_refund_that_was_sent_after_the_backup_is_not_sent_again(
    app: Flask, engine_name: str, make: Factories, stripe: CardProvider, tmp_path: Path, was_asked_for: bool
) -> None:
    payment_id, number = bought(make, stripe)
    buyer = reading().get_one(User, payment_of(payment_id).user_id)
    if not was_asked_for:
        backup = backed_up(app, tmp_path)
    perform(orders.cancel, actor_of(buyer), number)
    if was_asked_for:
        backup = backed_up(app, tmp_path)
    outbox.run_due()
    assert refunds_there(stripe) == [4_360]
    with second_shop(app, engine_name, tmp_path) as second:
        restored(second, backup)
        with second.app_context():
            states = [refund.state for refund in reading().scalars(sa.select(Refund))]
            assert states == ([RefundState.REQUESTED] if was_asked_for else [])
            assert worked_off() == 0
            reconciling.reconcile()
            database.session.rollback()
            assert [refund.state for refund in reading().scalars(sa.select(Refund))] == [RefundState.SUCCEEDED]
            assert payment_of(payment_id).refunded_amount == Money(4_360)
            perform(pauses.resume)
            outbox.run_due()
    assert refunds_there(stripe) == [4_360]


def test_a_card_payment_that_ended_after_the_backup_is_found_paid_and_one_begun_after_it_is_named(
    app: Flask, engine_name: str, make: Factories, stripe: CardProvider, tmp_path: Path
) -> None:
    shop = Shopping(make)
    shop.goods("goods", price=4_360)
    buyer = shop.buyer()
    before = shop.buy(buyer, {"goods": 1}, PaymentMethod.STRIPE)
    backup = backed_up(app, tmp_path)
    after = shop.buy(buyer, {"goods": 1}, PaymentMethod.STRIPE)
    for placed in (before, after):
        stripe.pay(placed.payment_id)  # the page as well was opened after the backup
        inquiry.settle(placed.payment_id)
    lost = payment_of(after.payment_id).provider_intent
    with second_shop(app, engine_name, tmp_path) as second:
        restored(second, backup)
        with second.app_context():
            assert payment_of(before.payment_id).state is PaymentState.CREATED
            gap = reconciling.reconcile().gap
            assert payment_of(before.payment_id).state is PaymentState.SUCCEEDED
            assert (gap.settled, [one.intent for one in gap.strangers]) == (1, [lost])


def test_a_code_that_was_sent_after_the_backup_is_not_sent_again_and_opens_nothing_but_a_new_one_comes(
    app: Flask, engine_name: str, make: Factories, sms: RecordingSms, tmp_path: Path
) -> None:
    phone = "13800000077"
    make.user(phone)
    perform(accounts.request_code, phone, CodePurpose.SIGN_IN)
    backup = backed_up(app, tmp_path)
    outbox.run_due()
    assert len(sms.texts_to(phone)) == 1
    used = sms.texts_to(phone)[0].split("验证码")[-1]
    with second_shop(app, engine_name, tmp_path) as second:
        restored(second, backup)
        with second.app_context():
            assert worked_off() == 0
            assert [job.state for job in reading().scalars(sa.select(Job))] == [JobState.DONE]
            digits = "".join(sign for sign in used if sign.isdigit())[:6]
            assert perform(accounts.check_code, phone, digits, CodePurpose.SIGN_IN) is not None, "it may have been used already"
            clock.move(timedelta(minutes=2))
            perform(accounts.request_code, phone, CodePurpose.SIGN_IN)
            assert outbox.run_due() == 1, "people can sign in while sending is paused"
            assert len(second.extensions["sms"].texts_to(phone)) == 1
            perform(pauses.note_reconciled)
            database.session.rollback()
            perform(pauses.resume)
            worked_off()
            assert len(second.extensions["sms"].texts_to(phone)) == 1


def test_who_was_signed_in_at_the_backup_signs_in_anew(app: Flask, engine_name: str, make: Factories, tmp_path: Path) -> None:
    user, moment = make.user(), clock.now()
    until = moment + timedelta(days=1)
    make.save(UserSession(user_id=user.id, kind=SessionKind.WEB, token_hash="x", created_at=moment, expires_at=until, device=""))
    backup = backed_up(app, tmp_path)
    with second_shop(app, engine_name, tmp_path) as second:
        restored(second, backup)
        with second.app_context():
            assert reading().scalars(sa.select(UserSession.revoked_at)).one() is not None
