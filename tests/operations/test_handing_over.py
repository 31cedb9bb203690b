"""At the counter: goods leave once, money follows in the same step, and every scan is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from shop.fulfilment import operations, queries, rules
from shop.fulfilment.errors import TooManyGuesses
from shop.fulfilment.operations import LookUp
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Cycle, Handover, HandoverItem, Pass, PassState
from shop.models.platform import AuditEntry, Notice
from shop.pickup import codes
from tests.support.counter import Counter, scans, state_of, with_rice_and_oil
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.shopping import count


@pytest.fixture
def counter(make: Factories) -> Counter:
    return with_rice_and_oil(make)


def merchant_balance(counter: Counter, place: int) -> int:
    reading().rollback()
    return balance(f"merchant:{counter.merchants[place].id}")


def change(table: type[Pass] | type[Purchase] | type[SubOrder], row_id: int, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(table).where(table.id == row_id).values(**values))


def test_a_code_hands_over_everything_and_the_merchants_are_owed_their_money(counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1, "oil": 1})
    done = counter.hand_over(f"{visit.code[:3]} {visit.code[3:]}")
    assert (done.outcome, done.reason, done.handed) == ("accepted", None, 2)
    assert (merchant_balance(counter, 0), merchant_balance(counter, 1)) == (1_940, 4_850)
    assert (balance("commission"), balance("escrow")) == (210, 0)
    assert counter.pass_of(buyer).state is PassState.USED
    assert reading().scalars(sa.select(Purchase.state)).all() == [PurchaseState.COMPLETED]
    assert scans() == [("accepted", None)]
    assert count(HandoverItem) == 2


def test_a_qr_code_does_the_same(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    assert counter.hand_over(codes.qr_text(visit.ref, visit.valid_until, clock.now())).outcome == "accepted"


def test_part_of_it_can_be_handed_over_and_the_rest_later(counter: Counter) -> None:
    buyer = counter.buyer()
    rice, oil = counter.packed(buyer, {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    assert counter.hand_over(visit.code, [rice.number]).handed == 1
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COLLECTED, SubOrderState.READY)
    assert counter.pass_of(buyer).state is PassState.LIVE
    assert counter.hand_over(visit.code).handed == 1
    assert counter.pass_of(buyer).state is PassState.USED


def test_the_same_event_told_again_does_nothing(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    event = counter.event(visit.code)
    outcomes = [perform(operations.hand_over, counter.keeper, event).outcome for _ in range(3)]
    assert outcomes == ["accepted", "duplicate", "duplicate"]
    assert merchant_balance(counter, 0) == 1_940
    assert count(Handover) == 1


def test_a_refused_event_told_again_gets_its_first_answer(counter: Counter) -> None:
    event = counter.event("000000")
    first, second = (perform(operations.hand_over, counter.keeper, event) for _ in range(2))
    assert (first.outcome, first.reason) == ("refused", "unknown_pass")
    assert second == first
    assert scans() == [("refused", "unknown_pass")]


def test_a_second_device_is_a_conflict_that_is_kept(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over(visit.code)
    second = counter.hand_over(visit.code, device_time=clock.now() - timedelta(minutes=5))
    assert (second.outcome, second.reason, second.handed) == ("conflict", "already_handed_over", 0)
    assert scans() == [("accepted", None), ("conflict", "already_handed_over")]
    assert merchant_balance(counter, 0) == 1_940


def test_of_two_named_orders_the_one_still_here_leaves_and_the_other_is_a_conflict(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    counter.hand_over(visit.code, [rice.number])
    both = counter.hand_over(visit.code, [rice.number, oil.number])
    assert (both.outcome, both.handed) == ("conflict", 1)
    assert state_of(oil) is SubOrderState.COLLECTED


def test_another_point_is_told_that_the_pass_belongs_elsewhere(counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    elsewhere = counter.new_keeper(make.point())[1]
    for text in (visit.code, visit.ref, codes.qr_text(visit.ref, visit.valid_until, clock.now())):
        refused = counter.hand_over(text, keeper=elsewhere)
        assert (refused.outcome, refused.reason) == ("refused", "wrong_point")
    assert merchant_balance(counter, 0) == 0
    assert len(scans()) == 3


def test_a_keeper_cannot_name_a_point_that_is_not_theirs(counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    elsewhere = make.point()
    stranger = counter.new_keeper(elsewhere)[1]
    with pytest.raises(NotFound):
        counter.hand_over(visit.code, keeper=stranger, point_id=counter.point.id)
    with pytest.raises(NotFound):
        perform(operations.look_up, stranger, counter.point.id, visit.code)
    with pytest.raises(NotFound):
        counter.hand_over(visit.code, keeper=counter.clerks[0])
    assert scans() == []


def test_a_pass_that_has_run_out_is_refused(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    clock.move(timedelta(days=4))
    refused = counter.hand_over(visit.code)
    assert (refused.outcome, refused.reason) == ("refused", "pass_expired")
    assert counter.hand_over(visit.code, device_time=clock.now() - timedelta(days=2)).outcome == "accepted"


def test_an_old_qr_code_is_refused_although_the_pass_is_good(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    text = codes.qr_text(visit.ref, visit.valid_until, clock.now())
    clock.move(timedelta(hours=25))
    assert counter.hand_over(text).reason == "qr_expired"
    assert counter.hand_over(visit.code).outcome == "accepted"


def test_a_forged_qr_code_is_refused_and_kept(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    text = codes.qr_text(visit.ref, visit.valid_until, clock.now())
    refused = counter.hand_over(text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert (refused.outcome, refused.reason) == ("refused", "forged_pass")
    assert merchant_balance(counter, 0) == 0


def test_a_withdrawn_pass_is_refused(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    change(Pass, visit.id, state=PassState.REVOKED)
    assert counter.hand_over(visit.ref).reason == "pass_revoked"


def test_an_unpaid_order_stays_here(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    purchase_id = reading().scalars(sa.select(Purchase.id)).one()
    change(Purchase, purchase_id, state=PurchaseState.AWAITING_PAYMENT, paid_at=None)
    refused = counter.hand_over(visit.code)
    assert (refused.outcome, refused.reason) == ("refused", "not_paid")
    assert merchant_balance(counter, 0) == 0


def test_an_order_whose_money_went_back_stays_here(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    sub_order = reading().scalars(sa.select(SubOrder)).one()
    change(SubOrder, sub_order.id, refunded_total=sub_order.total)
    assert counter.hand_over(visit.code).reason == "refunded"


def test_an_order_of_somebody_else_is_not_on_the_pass_and_nothing_leaves(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    (other,) = counter.packed(counter.buyer(), {"oil": 1})
    counter.receive([other])
    mine = reading().scalars(sa.select(SubOrder.number).where(SubOrder.pass_id == visit.id)).one()
    refused = counter.hand_over(visit.code, [mine, other.number])
    assert (refused.outcome, refused.reason, refused.handed) == ("refused", "not_on_pass", 0)
    assert state_of(other) is SubOrderState.READY


def test_when_a_step_fails_in_the_middle_nothing_leaves_and_the_event_is_kept(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    from shop.orders import operations as orders
    from shop.orders.errors import WrongState

    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    real = orders.mark_collected

    def fail_at_the_end(*arguments: object) -> int:
        assert real(*arguments) == 2  # type: ignore[arg-type]
        raise WrongState()

    monkeypatch.setattr(orders, "mark_collected", fail_at_the_end)
    refused = counter.hand_over(visit.code)
    assert (refused.outcome, refused.reason) == ("refused", "not_ready")
    assert count(HandoverItem) == 0
    assert (merchant_balance(counter, 0), merchant_balance(counter, 1)) == (0, 0)
    assert scans() == [("refused", "not_ready")]


def test_the_resident_is_told_that_goods_left(counter: Counter) -> None:
    buyer = counter.buyer()
    counter.hand_over(counter.ready(buyer, {"rice": 1}).code)
    notice = reading().scalars(sa.select(Notice).where(Notice.kind == "fulfilment.handed_over")).one()
    assert (notice.user_id, notice.facts) == (buyer.id, {"orders": 1})
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "pass.handed_over")).one()
    assert entry.actor_id == counter.keeper.user_id


def test_looking_up_a_code_finds_the_pass_and_hands_over_nothing(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    found = perform(operations.look_up, counter.keeper, counter.point.id, visit.code)
    assert (found.ref, found.reason) == (visit.ref, None)
    assert scans() == []


def test_the_end_of_a_phone_number_finds_people_with_goods_here(counter: Counter) -> None:
    one = counter.buyer(phone="13900007788")
    other = counter.buyer(phone="13811117788")
    first = counter.ready(one, {"rice": 1})
    alone = perform(operations.look_up, counter.keeper, counter.point.id, "7788")
    assert (alone.ref, alone.matches) == (None, (first.ref,)), "even one person is asked for the name"
    counter.ready(other, {"rice": 1})
    both = perform(operations.look_up, counter.keeper, counter.point.id, "7788")
    assert (both.ref, len(both.matches)) == (None, 2)
    assert perform(operations.look_up, counter.keeper, counter.point.id, "0000").reason == "unknown_pass"
    searches = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "passes.searched_by_phone").order_by(AuditEntry.id)).all()
    assert [entry.facts for entry in searches] == [{"found": 1}, {"found": 2}, {"found": 0}]


def test_labels_lead_to_what_they_are_on_and_are_no_guesses(counter: Counter, make: Factories) -> None:
    (coming,) = counter.packed(counter.buyer(), {"rice": 1})
    buyer = counter.buyer()
    (here,) = counter.packed(buyer, {"oil": 1})
    crate = queries.deliveries(reading(), Cycle.id == coming.cycle_id)[0].code

    def look(text: str) -> LookUp:
        return perform(operations.look_up, counter.keeper, counter.point.id, text)

    assert look(crate).cycle_id == coming.cycle_id
    parcel = look(coming.number.lower()).parcel
    assert parcel is not None
    assert (parcel.number, parcel.state, parcel.cycle_id) == (coming.number, SubOrderState.PACKED, coming.cycle_id)
    counter.receive([here])
    assert look(here.number).ref == counter.pass_of(buyer).ref
    assert scans() == []
    elsewhere = counter.new_keeper(other := make.point())[1]
    for text in (crate, coming.number, "T260101-9999") * rules.GUESSES_PER_MINUTE:
        refused = perform(operations.look_up, elsewhere, other.id, text)
        assert (refused.reason, refused.cycle_id, refused.parcel) == ("unknown_label", None, None)
    assert counter.hand_over(here.number).reason == "not_a_pass"
    assert state_of(here) is SubOrderState.READY


def test_a_used_pass_says_so_when_it_is_looked_up(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over(visit.code)
    looked = perform(operations.look_up, counter.keeper, counter.point.id, visit.code)
    assert (looked.reason, looked.pass_id) == ("pass_used", visit.id)
    assert scans()[-1] == ("refused", "pass_used")


def test_guessing_ends_after_twenty_wrong_codes_in_a_minute(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    wrong = "000001" if visit.code != "000001" else "000002"
    for _ in range(rules.GUESSES_PER_MINUTE):
        assert perform(operations.look_up, counter.keeper, counter.point.id, wrong).reason == "unknown_pass"
    with pytest.raises(TooManyGuesses):
        perform(operations.look_up, counter.keeper, counter.point.id, visit.code)
    with pytest.raises(TooManyGuesses):
        counter.hand_over(visit.code)
    assert len(scans()) == rules.GUESSES_PER_MINUTE
    assert counter.hand_over(codes.qr_text(visit.ref, visit.valid_until, clock.now())).outcome == "accepted"


def test_after_a_minute_codes_can_be_typed_again(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    for _ in range(rules.GUESSES_PER_MINUTE):
        perform(operations.look_up, counter.keeper, counter.point.id, "xyz")
    clock.move(timedelta(seconds=61))
    assert counter.hand_over(visit.code).outcome == "accepted"


def test_one_keepers_guesses_do_not_stop_another_keeper(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    for _ in range(rules.GUESSES_PER_MINUTE):
        perform(operations.look_up, counter.keeper, counter.point.id, "xyz")
    colleague = counter.new_keeper(counter.point)[1]
    assert counter.hand_over(visit.code, keeper=colleague).outcome == "accepted"


def test_another_point_cannot_read_an_event_by_its_id(counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    event = counter.event(visit.code)
    perform(operations.hand_over, counter.keeper, event)
    stranger = counter.new_keeper(make.point())[1]
    taken = perform(operations.hand_over, stranger, event)
    assert (taken.outcome, taken.reason) == ("refused", "client_id_taken")
    assert queries.told(reading(), stranger.points("keeper"), event.client_id) is None
    mine = queries.told(reading(), counter.keeper.points("keeper"), event.client_id)
    assert mine is not None
    assert (mine.outcome, len(mine.handed), mine.still_waiting) == ("accepted", 1, 0)


def test_the_log_of_the_counter_shows_every_scan(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over("000000")
    counter.hand_over(visit.code, device_time=datetime(2020, 1, 1, tzinfo=UTC))
    newest, oldest = queries.desk_events(reading(), counter.point.id)
    assert (newest.outcome, newest.handed) == ("accepted", 1)
    assert (oldest.outcome, oldest.reason, oldest.holder_name) == ("refused", "unknown_pass", None)
