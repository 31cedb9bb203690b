"""At the counter: goods leave once, money follows in the same step, and every scan is kept."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shop.counter import operations as desk
from shop.counter import rules
from shop.counter.errors import TooManyGuesses
from shop.counter.permissions import CounterPermission
from shop.counter.scans import desk_events
from shop.counter.scans import told as scans_told
from shop.fulfilment import operations, queries
from shop.fulfilment.operations import LookUp
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Cycle, Handover, Pass, PassState, PickupPoint
from shop.models.platform import AuditEntry, Notice
from shop.pickup import codes
from shop.platform.actor import Actor
from tests.support.counter import Counter, scans, state_of, things_gone, with_rice_and_oil
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
    assert things_gone() == 2


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
    outcomes = [perform(desk.hand_over, counter.keeper, event).outcome for _ in range(3)]
    assert outcomes == ["accepted", "duplicate", "duplicate"]
    assert merchant_balance(counter, 0) == 1_940
    assert count(Handover) == 1


def test_a_refused_event_told_again_gets_its_first_answer(counter: Counter) -> None:
    event = counter.event("000000")
    first, second = (perform(desk.hand_over, counter.keeper, event) for _ in range(2))
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
    assert things_gone() == 0
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
    assert perform(operations.look_up, counter.keeper, counter.point.id, "0000").reason == "nobody_waits"
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


def test_what_people_say_at_the_desk_leads_on_and_is_never_a_guess(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer(phone="13800007788")
    (here,) = counter.packed(buyer, {"rice": 1})
    order, short = here.number.rpartition("-")[0], here.number.partition("-")[2]

    def look(text: str, point: PickupPoint = counter.point, keeper: Actor = counter.keeper) -> LookUp:
        return perform(operations.look_up, keeper, point.id, text)

    for said in (order, f"#{order.lower()}", short, short.rpartition("-")[0]):
        parcel = look(said).parcel
        assert parcel is not None, said
        assert parcel.number == here.number
    assert look("138 0000 7788").reason == "nobody_waits"
    counter.receive([here])
    waiting = counter.pass_of(buyer).ref
    for said in (order, f"#{order.lower()}", short, short.rpartition("-")[0]):
        assert look(said).ref == waiting, said
    for said in ("13800007788", "+86 138-0000-7788", "\u202d138 0000 7788\u202c"):
        found = look(said)
        assert (found.ref, found.matches) == (None, (waiting,)), "a number opens nothing by itself"
    assert look("13900007788").reason == "nobody_waits", "another number with the same end"
    elsewhere = counter.new_keeper(other := make.point())[1]
    for _ in range(rules.GUESSES_PER_MINUTE + 1):
        assert look(order, other, elsewhere).reason == "unknown_order"
        assert look(short, other, elsewhere).reason == "unknown_label"
        assert look("13800007788", other, elsewhere).reason == "nobody_waits"
    assert look("000000", other, elsewhere).reason == "unknown_pass", "none of these counted as a guess"
    for said in (order, short, "13800007788"):
        assert counter.hand_over(said).reason == "not_a_pass"
    assert state_of(here) is SubOrderState.READY


def test_of_an_order_what_waits_here_comes_first(counter: Counter) -> None:
    buyer = counter.buyer()
    first, second = counter.packed(buyer, {"rice": 1, "oil": 1})
    counter.receive([second])
    order = first.number.rpartition("-")[0]
    looked = perform(operations.look_up, counter.keeper, counter.point.id, order)
    assert looked.ref == counter.pass_of(buyer).ref
    counter.hand_over(counter.pass_of(buyer).code)
    looked = perform(operations.look_up, counter.keeper, counter.point.id, order)
    assert looked.parcel is not None
    assert looked.parcel.number == first.number, "then what has not come"


def test_a_used_pass_says_so_when_it_is_looked_up(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over(visit.code)
    looked = perform(operations.look_up, counter.keeper, counter.point.id, visit.code)
    assert (looked.reason, looked.pass_id) == ("pass_used", visit.id)
    assert scans()[-1] == ("refused", "pass_used")


def wrong_codes(counter: Counter, number: int, keeper: Actor | None = None) -> list[str | None]:
    """So many wrong codes, one after the other; what each was answered."""
    live = set(reading().scalars(sa.select(Pass.code)))
    wrong = [code for one in range(number + len(live)) if (code := f"{one:06d}") not in live][:number]
    return [perform(operations.look_up, keeper or counter.keeper, counter.point.id, code).reason for code in wrong]


def test_wrong_codes_slow_down_only_wrong_codes(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    answers = wrong_codes(counter, rules.GUESSES_PER_MINUTE + 5)
    assert answers == ["unknown_pass"] * rules.GUESSES_PER_MINUTE + ["too_many_attempts"] * 5
    assert perform(operations.look_up, counter.keeper, counter.point.id, visit.code).ref == visit.ref
    assert wrong_codes(counter, 1) == ["too_many_attempts"], "a right one resets nothing"
    assert counter.hand_over(visit.code).outcome == "accepted"
    assert len(scans()) == rules.GUESSES_PER_MINUTE + 7, "every one of them is kept"


def test_after_a_minute_wrong_codes_are_answered_again(counter: Counter) -> None:
    wrong_codes(counter, rules.GUESSES_PER_MINUTE)
    clock.move(timedelta(seconds=61))
    assert wrong_codes(counter, 1) == ["unknown_pass"]


def test_after_a_hundred_wrong_codes_within_an_hour_no_code_opens_anything(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(phone="13900007788"), {"rice": 1})
    wrong_codes(counter, rules.GUESSES_PER_HOUR)
    with pytest.raises(TooManyGuesses):
        perform(operations.look_up, counter.keeper, counter.point.id, visit.code)
    with pytest.raises(TooManyGuesses):
        counter.hand_over(visit.code)
    assert len(scans()) == rules.GUESSES_PER_HOUR
    assert perform(operations.look_up, counter.keeper, counter.point.id, "7788").matches == (visit.ref,), "people are served all the same"
    colleague = counter.new_keeper(counter.point)[1]
    assert perform(operations.look_up, colleague, counter.point.id, visit.code).ref == visit.ref
    assert counter.hand_over(codes.qr_text(visit.ref, visit.valid_until, clock.now())).outcome == "accepted"
    clock.move(timedelta(hours=1, seconds=1))
    assert wrong_codes(counter, 1) == ["unknown_pass"]


def test_several_keepers_guess_no_more_than_their_point(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "GUESSES_AT_POINT_PER_HOUR", 4)
    visit = counter.ready(counter.buyer(), {"rice": 1})
    colleague = counter.new_keeper(counter.point)[1]
    wrong_codes(counter, 2)
    wrong_codes(counter, 2, colleague)
    with pytest.raises(TooManyGuesses):
        perform(operations.look_up, colleague, counter.point.id, visit.code)


def test_what_is_no_code_counts_as_no_guess(counter: Counter, make: Factories) -> None:
    elsewhere = Counter(make)
    elsewhere.goods("salt")
    foreign = elsewhere.ready(elsewhere.buyer(), {"salt": 1})
    qr = codes.qr_text(foreign.ref, foreign.valid_until, clock.now())
    expected = [
        ("6901234567892", "not_a_pass"), ("xyz", "not_a_pass"), ("0000", "nobody_waits"), (qr, "wrong_point"), (foreign.ref, "wrong_point"),
        (qr[:-1] + ("0" if qr[-1] != "0" else "1"), "forged_pass"), ("V260608-22222222", "unknown_pass"),
    ]  # fmt: skip
    for _ in range(rules.GUESSES_PER_MINUTE // 4):
        for text, reason in expected:
            assert perform(operations.look_up, counter.keeper, counter.point.id, text).reason == reason, text
    assert wrong_codes(counter, 1) == ["unknown_pass"]


def test_an_event_says_what_left_and_what_stayed_and_why(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    first = counter.hand_over(visit.code, [rice.number])
    assert (first.left, first.stayed) == ((rice.number,), ())
    both = counter.event(visit.code, [rice.number, oil.number])
    said = perform(desk.hand_over, counter.keeper, both)
    assert (said.outcome, said.left, said.stayed) == ("conflict", (oil.number,), ((rice.number, "already_handed_over"),))
    assert perform(desk.hand_over, counter.keeper, both) == said, "the first answer, as often as it is asked for"
    unknown = counter.hand_over(visit.code, [rice.number, "L260608-22222222-1"])
    assert set(unknown.stayed) == {(rice.number, "already_handed_over"), ("L260608-22222222-1", "not_on_pass")}


def test_goods_on_the_counter_leave_whole_or_not_at_all(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    counter.hand_over(visit.code, [rice.number])
    event = counter.event(visit.code, [rice.number, oil.number], only_whole=True)
    said = perform(desk.hand_over, counter.keeper, event)
    assert (said.outcome, said.reason, said.left) == ("conflict", "already_handed_over", ())
    assert said.stayed == tuple(sorted([(rice.number, "already_handed_over"), (oil.number, "with_others")]))
    assert state_of(oil) is SubOrderState.READY
    assert merchant_balance(counter, 1) == 0
    assert perform(desk.hand_over, counter.keeper, event) == said
    assert counter.hand_over(visit.code, [oil.number], only_whole=True).outcome == "accepted"


@pytest.mark.parametrize("change_of", ["pass_text", "sub_orders", "device_time", "only_whole"])
def test_another_event_under_the_same_id_is_a_conflict_that_is_kept(counter: Counter, change_of: str) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    event = counter.event(visit.code, [rice.number])
    perform(desk.hand_over, counter.keeper, event)
    changes: dict[str, Any] = {
        "pass_text": visit.ref, "sub_orders": (rice.number, oil.number), "only_whole": True,
        "device_time": clock.now() - timedelta(hours=1),
    }  # fmt: skip
    other = dataclasses.replace(event, **{change_of: changes[change_of]})
    answers = [perform(desk.hand_over, counter.keeper, other) for _ in range(3)]
    assert {(one.outcome.value, one.reason, one.left) for one in answers} == {("conflict", "different_event", ())}
    assert dict(answers[0].stayed) == dict.fromkeys(other.sub_orders or (), "different_event")
    assert scans() == [("accepted", None), ("conflict", "different_event")], "kept once, however often it is told"
    assert state_of(oil) is SubOrderState.READY
    assert perform(desk.hand_over, counter.keeper, event).outcome == "duplicate"


def test_the_same_event_spelled_otherwise_is_the_same(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    code = counter.pass_of(buyer).code
    event = counter.event(code, [rice.number, oil.number])
    perform(desk.hand_over, counter.keeper, event)
    assert event.device_time is not None
    spelled = dataclasses.replace(
        event, pass_text=f" {code[:3]} {code[3:]}", sub_orders=(oil.number, rice.number, oil.number),
        device_time=event.device_time.astimezone(clock.BUSINESS_ZONE),
    )  # fmt: skip
    assert perform(desk.hand_over, counter.keeper, spelled).outcome == "duplicate"


def test_the_log_is_searched_by_the_numbers_people_know(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    code = counter.pass_of(buyer).code
    first = counter.event(code, [rice.number])
    perform(desk.hand_over, counter.keeper, first)
    counter.hand_over(code, [rice.number, oil.number], only_whole=True)
    counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)

    def found(number: str) -> list[tuple[str, int]]:
        return [(one.outcome.value, one.handed) for one in desk_events(reading(), counter.point.id, number=number)]

    order, short = rice.number.rpartition("-")[0], rice.number.partition("-")[2]
    for number in (order, rice.number, short, short.rpartition("-")[0]):
        assert found(number) == [("conflict", 0), ("accepted", 1)], number
    assert found(oil.number) == [("conflict", 0)]
    perform(desk.take_back, counter.keeper, first.client_id, "a slip")
    reading().rollback()
    assert found(rice.number) == [("conflict", 0), ("accepted", 0)], "also what came back"


def test_another_point_cannot_read_an_event_by_its_id(counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    event = counter.event(visit.code)
    perform(desk.hand_over, counter.keeper, event)
    stranger = counter.new_keeper(make.point())[1]
    taken = perform(desk.hand_over, stranger, event)
    assert (taken.outcome, taken.reason) == ("refused", "client_id_taken")
    assert scans_told(reading(), stranger.points(CounterPermission.POINT_READ), event.client_id) is None
    mine = scans_told(reading(), counter.keeper.points(CounterPermission.POINT_READ), event.client_id)
    assert mine is not None
    assert (mine.outcome, len(mine.handed), mine.still_waiting) == ("accepted", 1, 0)


def test_the_log_of_the_counter_shows_every_scan(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over("000000")
    counter.hand_over(visit.code, device_time=datetime(2020, 1, 1, tzinfo=UTC))
    newest, oldest = desk_events(reading(), counter.point.id)
    assert (newest.outcome, newest.handed) == ("accepted", 1)
    assert (oldest.outcome, oldest.reason, oldest.holder_name) == ("refused", "unknown_pass", None)
