"""Applications: written subject by subject, handed in, asked about, approved once or declined, forgotten in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from shop.cli.verify.checks import broken
from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import NotFound, ShopError
from shop.merchants.errors import AlreadySuspended, InvalidCreditCode, NotSuspended
from shop.models.accounts import Role, RoleGrant, User
from shop.models.catalog import Listing, Product
from shop.models.merchants import Merchant, MerchantKind, MerchantState
from shop.models.onboarding import (
    ApplicantKind,
    Application,
    ApplicationMessage,
    ApplicationPaper,
    ApplicationState,
    Food,
    Licence,
    PaperKind,
    PaperSlice,
    Suspension,
)
from shop.models.pickup import MerchantPoint
from shop.models.platform import AuditEntry, Notice
from shop.onboarding import jobs, operations, queries, rules, seeding
from shop.onboarding.errors import (
    AnswerMissing,
    ChangedMeanwhile,
    CodeIsTaken,
    EndMissing,
    FoodUnknown,
    NotComplete,
    NotDeclared,
    NotOpen,
    NotWaiting,
    PaperExpired,
    PaperGone,
    PointsMissing,
    ReasonMissing,
    TooManyPapers,
)
from shop.onboarding.operations import About
from shop.platform.actor import Actor, Grant
from shop.platform.own import OwnDeed
from tests.support.applying import CODE, EDGE_CODE, applied, fill_in, hand_in, latest, photo
from tests.support.factories import Factories, actor_of

ABOUT = About("果铺", "", "水果", "", Food.PRODUCE)


@pytest.fixture
def operator(make: Factories) -> Actor:
    return actor_of(make.user(), Grant("operator"))


def count(model: type) -> int:
    finish_reading()
    return reading().scalar(sa.select(sa.func.count()).select_from(model)) or 0


def deeds() -> list[str]:
    finish_reading()
    return list(reading().scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def told() -> list[str]:
    finish_reading()
    return list(reading().scalars(sa.select(Notice.kind).order_by(Notice.id)))


def test_what_is_said_is_kept_at_each_step_and_handed_in(make: Factories) -> None:
    user = fill_in(make)
    found = latest(user)
    assert (found.state, found.uscc, found.food) == (ApplicationState.DRAFT, CODE, Food.PRODUCE)
    assert queries.missing(reading(), found) == ()
    perform(operations.submit, actor_of(user))
    assert latest(user).state is ApplicationState.WAITING
    assert deeds() == ["onboarding.submitted"]


def test_what_is_not_complete_is_not_handed_in(make: Factories) -> None:
    user = fill_in(make, food=Food.NONE)
    perform(operations.describe, actor_of(user), replace(ABOUT, food=Food.OTHER))
    with pytest.raises(NotComplete):
        perform(operations.submit, actor_of(user))
    assert latest(user).state is ApplicationState.DRAFT
    assert deeds() == []


def test_what_cannot_be_said_is_refused_and_what_was_said_stays(make: Factories) -> None:
    user = fill_in(make)
    actor = actor_of(user)
    for deed, arguments, refusal in (
        (operations.describe, (replace(ABOUT, name_zh=""),), AnswerMissing),
        (operations.choose_points, (["nowhere"],), PointsMissing),
    ):
        with pytest.raises(refusal):
            perform(deed, actor, *arguments)
    with pytest.raises(InvalidCreditCode):
        perform(operations.register, actor, "李梅", "店", "123", declares=False)
    found = latest(user)
    assert (found.uscc, found.person.startswith("李梅"), len(found.point_ids)) == (CODE, True, 1)


def test_a_farmer_declares_and_names_no_code(make: Factories) -> None:
    user = make.user()
    actor = actor_of(user)
    perform(operations.choose_kind, actor, ApplicantKind.FARMER)
    with pytest.raises(NotDeclared):
        perform(operations.register, actor, "李梅", "", "", declares=False)
    with pytest.raises(FoodUnknown):
        perform(operations.describe, actor, replace(ABOUT, food=Food.OTHER))
    perform(operations.register, actor, "李梅", "店", CODE, declares=True)
    found = latest(user)
    assert (found.uscc, found.legal_name, found.declared_at is not None) == ("", "", True)


def test_another_kind_forgets_food_it_may_not_sell(make: Factories) -> None:
    user = fill_in(make, food=Food.PACKAGED)
    perform(operations.choose_kind, actor_of(user), ApplicantKind.FARMER)
    assert (latest(user).kind, latest(user).food, count(Application)) == (ApplicantKind.FARMER, None, 1)


def test_what_waits_is_not_changed(make: Factories) -> None:
    found = applied(make)
    actor = actor_of(reading().get_one(User, found.user_id))
    paper = reading().scalars(sa.select(ApplicationPaper.id)).first()
    for deed, arguments in (
        (operations.describe, (ABOUT,)), (operations.choose_kind, (ApplicantKind.STALL,)), (operations.choose_points, (["x"],)),
        (operations.take_away, (paper,)), (operations.submit, ()), (operations.answer, ("hello",)),
    ):  # fmt: skip
        with pytest.raises((NotOpen, PointsMissing)):
            perform(deed, actor, *arguments)
    assert queries.handed_in(reading(), found.id).changes == found.changes


def test_a_new_paper_of_a_kind_replaces_the_old_one(make: Factories) -> None:
    user = fill_in(make)
    before = count(ApplicationPaper)
    hand_in(user, PaperKind.BUSINESS_LICENCE)
    assert count(ApplicationPaper) == before
    for _ in range(rules.MOST_PAPERS - before):
        hand_in(user, PaperKind.OTHER)
    with pytest.raises(TooManyPapers):
        hand_in(user, PaperKind.OTHER)
    assert count(ApplicationPaper) == rules.MOST_PAPERS


def test_a_paper_is_sealed_where_it_lies(make: Factories) -> None:
    user = fill_in(make)
    content = b"%PDF-1.4 the secret of the paper"
    paper = hand_in(user, PaperKind.OTHER, content)
    stored = reading().execute(sa.text("SELECT content FROM paper_slices WHERE paper_id = :id"), {"id": paper}).scalar_one()
    assert b"secret" not in stored.encode()
    assert queries.content_of(reading(), reading().get_one(ApplicationPaper, paper)).content == content


def test_a_paper_of_somebody_else_is_not_taken_away(make: Factories) -> None:
    fill_in(make)
    paper = reading().scalars(sa.select(ApplicationPaper.id)).first()
    for other in (make.user(), fill_in(make)):
        with pytest.raises(NotFound):
            perform(operations.take_away, actor_of(other), paper or 0)


def test_a_look_at_a_paper_has_a_reason_and_is_on_record(make: Factories, operator: Actor) -> None:
    applied(make)
    paper = reading().scalars(sa.select(ApplicationPaper.id)).first() or 0
    with pytest.raises(ReasonMissing):
        perform(operations.reveal, operator, paper, "")
    assert "onboarding.paper_revealed" not in deeds()
    assert perform(operations.reveal, operator, paper, "why").content_type == "image/jpeg"
    finish_reading()
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "onboarding.paper_revealed")).one()
    assert entry.facts == {"paper": "business_licence", "reason": "why"}
    for somebody in (actor_of(make.user()), actor_of(make.user(), Grant("auditor"))):
        with pytest.raises(NotFound):
            perform(operations.reveal, somebody, paper, "why")


def test_a_draft_is_nobodys_business(make: Factories, operator: Actor) -> None:
    found = latest(fill_in(make))
    paper = reading().scalars(sa.select(ApplicationPaper.id)).first() or 0
    with pytest.raises(NotFound):
        perform(operations.reveal, operator, paper, "why")
    with pytest.raises(NotFound):
        perform(operations.decline, operator, found.id, "why")


def test_a_question_goes_back_and_the_answer_keeps_the_place(make: Factories, operator: Actor) -> None:
    first, second = applied(make), applied(make)
    user = reading().get_one(User, first.user_id)
    perform(operations.ask, operator, first.id, "Until when is the lease?", PaperKind.OTHER)
    assert latest(user).state is ApplicationState.ASKED
    with pytest.raises(NotWaiting):
        perform(operations.approve, operator, first.id, first.changes, 300)
    perform(operations.describe, actor_of(user), ABOUT)
    with pytest.raises(AnswerMissing):
        perform(operations.answer, actor_of(user), "")
    perform(operations.answer, actor_of(user), "Until 2030.")
    assert [row.id for row in queries.queue(reading(), "waiting")[0]] == [first.id, second.id]
    assert [(one.is_question, one.paper) for one in queries.messages(reading(), first.id)] == [(True, PaperKind.OTHER), (False, None)]
    assert told() == ["onboarding.asked"]


def test_the_queue_goes_on_where_it_ended(make: Factories) -> None:
    ids = [applied(make).id for _ in range(3)]
    page, following = queries.queue(reading(), "waiting", limit=2)
    rest, end = queries.queue(reading(), "waiting", following, limit=2)
    assert ([row.id for row in (*page, *rest)], end) == (ids, None)


def test_what_is_approved_is_a_shop_with_an_owner_points_and_licences(make: Factories, operator: Actor) -> None:
    found = applied(make, ApplicantKind.CO_OP)
    shop_id = perform(operations.approve, operator, found.id, found.changes, 250)
    finish_reading()
    shop = reading().get_one(Merchant, shop_id)
    assert (shop.kind, shop.state, shop.uscc, shop.commission_bps) == (MerchantKind.CO_OP, MerchantState.ACTIVE, CODE, 250)
    grant = reading().scalars(sa.select(RoleGrant)).one()
    assert (grant.user_id, grant.role, grant.merchant_id) == (found.user_id, Role.MERCHANT_OWNER, shop_id)
    assert reading().scalars(sa.select(MerchantPoint.pickup_point_id)).all() == found.point_ids
    assert set(reading().scalars(sa.select(Licence.kind))) == {PaperKind.BUSINESS_LICENCE, PaperKind.PRODUCE_CERTIFICATE}
    assert told() == ["onboarding.approved"]
    assert deeds() == ["onboarding.submitted", "role.granted", "onboarding.approved"]
    assert [finding.name for finding in broken(reading())] == []


def test_a_decision_is_made_once(make: Factories, operator: Actor) -> None:
    found = applied(make)
    perform(operations.approve, operator, found.id, found.changes, 300)
    for deed, arguments in ((operations.approve, (found.changes, 300)), (operations.decline, ("why",)), (operations.ask, ("why?",))):
        with pytest.raises(NotWaiting):
            perform(deed, operator, found.id, *arguments)
    assert (count(Merchant), told()) == (1, ["onboarding.approved"])


def test_what_changed_since_it_was_looked_at_is_not_approved(make: Factories, operator: Actor) -> None:
    found = applied(make)
    user = actor_of(reading().get_one(User, found.user_id))
    perform(operations.ask, operator, found.id, "Who?")
    perform(operations.describe, user, replace(ABOUT, name_zh="别的"))
    perform(operations.answer, user, "Somebody else")
    with pytest.raises(ChangedMeanwhile):
        perform(operations.approve, operator, found.id, found.changes, 300)
    assert (count(Merchant), count(RoleGrant)) == (0, 0)


def test_one_code_is_one_shop(make: Factories, operator: Actor) -> None:
    first, second = applied(make), applied(make)
    perform(operations.approve, operator, first.id, first.changes, 300)
    with pytest.raises(CodeIsTaken):
        perform(operations.approve, operator, second.id, second.changes, 300)
    other = applied(make, uscc=EDGE_CODE)
    perform(operations.approve, operator, other.id, other.changes, 300)
    assert count(Merchant) == 2


def test_the_database_too_knows_one_shop_to_a_code(make: Factories, operator: Actor) -> None:
    first, second = applied(make), applied(make)
    perform(operations.approve, operator, first.id, first.changes, 300)
    again = sa.update(Application).where(Application.id == second.id).values(state="approved", merchant_id=make.merchant().id)
    with pytest.raises(CodeIsTaken), transaction() as session:
        session.execute(again)


def test_nobody_decides_their_own(make: Factories) -> None:
    found = applied(make)
    own = actor_of(reading().get_one(User, found.user_id), Grant("operator"))
    for deed, arguments in ((operations.approve, (found.changes, 300)), (operations.decline, ("why",)), (operations.ask, ("why?",))):
        with pytest.raises(OwnDeed):
            perform(deed, own, found.id, *arguments)
    assert (queries.handed_in(reading(), found.id).state, count(Merchant)) == (ApplicationState.WAITING, 0)


def test_only_operators_decide(make: Factories) -> None:
    found = applied(make)
    for role in ("auditor", "finance", "merchant_owner"):
        with pytest.raises(NotFound):
            perform(operations.approve, actor_of(make.user(), Grant(role)), found.id, found.changes, 300)
    assert count(Merchant) == 0


def test_who_was_declined_goes_on_from_what_they_said(make: Factories, operator: Actor) -> None:
    found = applied(make)
    user = reading().get_one(User, found.user_id)
    with pytest.raises(ReasonMissing):
        perform(operations.decline, operator, found.id, "")
    perform(operations.decline, operator, found.id, "The photo cannot be read")
    assert (told(), latest(user).reason) == (["onboarding.declined"], "The photo cannot be read")
    perform(operations.choose_kind, actor_of(user), ApplicantKind.SHOP)
    again = latest(user)
    assert (again.id != found.id, again.uscc, again.state) == (True, CODE, ApplicationState.DRAFT)
    assert queries.missing(reading(), again) == (rules.Subject.PAPERS,)


def test_what_is_taken_back_waits_no_more(make: Factories) -> None:
    found = applied(make)
    user = reading().get_one(User, found.user_id)
    perform(operations.withdraw, actor_of(user))
    assert queries.queue(reading(), "waiting")[0] == []
    with pytest.raises(NotOpen):
        perform(operations.withdraw, actor_of(user))


def test_papers_and_drafts_go_when_their_time_is_over(make: Factories, operator: Actor) -> None:
    declined, approved = applied(make), applied(make, uscc=EDGE_CODE)
    draft = latest(fill_in(make))
    perform(operations.decline, operator, declined.id, "why")
    perform(operations.approve, operator, approved.id, approved.changes, 300)
    jobs.tidy()
    assert count(PaperSlice) == count(ApplicationPaper) == 6
    move(timedelta(days=31))
    jobs.tidy()
    finish_reading()
    left = dict(reading().execute(sa.select(ApplicationPaper.kind, ApplicationPaper.application_id).join(PaperSlice)).all())  # type: ignore[arg-type]
    assert left == {PaperKind.BUSINESS_LICENCE: approved.id}
    assert reading().get(Application, draft.id) is None
    assert [finding.name for finding in broken(reading())] == []
    gone = reading().scalars(sa.select(ApplicationPaper.id).where(ApplicationPaper.application_id == declined.id)).first() or 0
    with pytest.raises(PaperGone):
        perform(operations.reveal, operator, gone, "why")
    move(timedelta(days=400))
    jobs.tidy()
    finish_reading()
    assert reading().scalars(sa.select(Application.id)).all() == [approved.id]


def test_what_somebody_goes_on_with_stays(make: Factories) -> None:
    user = fill_in(make)
    move(timedelta(days=29))
    perform(operations.describe, actor_of(user), ABOUT)
    move(timedelta(days=29))
    jobs.tidy()
    assert count(Application) == 1


def move(by: timedelta) -> None:
    """Everything of applications happened so much earlier."""
    with transaction() as session:
        for found in session.scalars(sa.select(Application)):
            found.created_at, found.touched_at = found.created_at - by, found.touched_at - by
            found.decided_at = found.decided_at - by if found.decided_at else None


def test_a_suspended_shop_sells_nothing_and_is_restored_as_it_was(make: Factories, operator: Actor) -> None:
    merchant = make.merchant("rice", points=[make.point()])
    make.product(merchant, code="a")
    make.product(merchant, code="b")
    with transaction() as session:
        session.execute(sa.update(Product).where(Product.code == "b").values(state="off_sale"))
    states = sa.select(Product.code, Product.state).order_by(Product.code)
    finish_reading()
    before, listed = reading().execute(states).all(), count(Listing)
    perform(operations.suspend, operator, "rice", "Short weight again")
    finish_reading()
    assert reading().scalars(sa.select(Merchant.state)).one() is MerchantState.SUSPENDED
    assert (reading().execute(states).all(), count(Listing)) == (before, listed)
    with pytest.raises(AlreadySuspended):
        perform(operations.suspend, operator, "rice", "again")
    perform(operations.restore, operator, "rice", "Scales were checked")
    finish_reading()
    assert reading().scalars(sa.select(Merchant.state)).one() is MerchantState.ACTIVE
    assert (reading().execute(states).all(), count(Listing)) == (before, listed)
    with pytest.raises(NotSuspended):
        perform(operations.restore, operator, "rice", "again")
    assert deeds() == ["onboarding.suspended", "onboarding.restored"]
    assert count(Suspension) == 1
    perform(operations.suspend, operator, "rice", "Once more")
    assert count(Suspension) == 2


def test_a_licence_that_runs_out_is_told_at_each_step_once(make: Factories) -> None:
    merchant, user = make.merchant("rice"), make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=merchant)
    known = {"merchant_id": merchant.id, "legal_name": "店", "created_at": clock.now()}
    licence = make.save(Licence(kind=PaperKind.FOOD_PERMIT, valid_until=clock.today(), **known))
    make.save(Licence(kind=PaperKind.BUSINESS_LICENCE, valid_until=None, **known))
    kinds = []
    for left in (31, 30, 12, 7, 1, 0, -1, -5, -31):
        with transaction() as session:
            ends = sa.update(Licence).where(Licence.id == licence.id)
            session.execute(ends.values(valid_until=clock.today() + timedelta(days=left)))
        jobs.remind()
        jobs.remind()
        kinds.append((left, len(told())))
    assert [count for _, count in kinds[:2]] == [0, 1]
    assert told()[-1] == "onboarding.expired"


def test_what_was_told_of_a_licence_is_not_told_again_on_the_way(make: Factories) -> None:
    merchant, user = make.merchant("rice"), make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=merchant)
    ends = clock.today() + timedelta(days=9)
    make.save(Licence(merchant_id=merchant.id, kind=PaperKind.FOOD_PERMIT, legal_name="店", valid_until=ends, created_at=clock.now()))
    for _ in range(3):
        jobs.remind()
    assert told() == ["onboarding.expires"]


def test_a_renewed_licence_has_its_new_last_day(make: Factories, operator: Actor) -> None:
    merchant, day = make.merchant("rice"), clock.today() + timedelta(days=800)
    make.save(
        Licence(merchant_id=merchant.id, kind=PaperKind.FOOD_PERMIT, legal_name="店", valid_until=clock.today(), created_at=clock.now())
    )
    for kind, last, refusal in (
        (PaperKind.FOOD_PERMIT, None, EndMissing),
        (PaperKind.FOOD_PERMIT, clock.today() - timedelta(days=1), PaperExpired),
        (PaperKind.BUSINESS_LICENCE, day, NotFound),
    ):
        with pytest.raises(refusal):
            perform(operations.renew, operator, "rice", kind, last)
    with pytest.raises(NotFound):
        perform(operations.renew, actor_of(make.user(), Grant("auditor")), "rice", PaperKind.FOOD_PERMIT, day)
    perform(operations.renew, operator, "rice", PaperKind.FOOD_PERMIT, day)
    finish_reading()
    assert reading().scalars(sa.select(Licence.valid_until)).one() == day
    assert deeds() == ["onboarding.licence_renewed"]


def test_those_who_work_there_are_told_and_do_not_decide_it(make: Factories, operator: Actor) -> None:
    merchant, user = make.merchant("rice"), make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=merchant)
    both = actor_of(user, Grant("operator"), Grant("merchant_owner", merchant.id))
    for deed in (operations.suspend, operations.restore):
        with pytest.raises(OwnDeed):
            perform(deed, both, "rice", "why")
    perform(operations.suspend, operator, "rice", "why")
    assert told() == ["onboarding.suspended"]


@pytest.mark.parametrize("reason", ["", "why"])
def test_who_may_not_suspend_changes_nothing(make: Factories, operator: Actor, reason: str) -> None:
    make.merchant("rice")
    somebody = operator if not reason else actor_of(make.user(), Grant("auditor"))
    with pytest.raises(ShopError):
        perform(operations.suspend, somebody, "rice", reason)
    finish_reading()
    assert (reading().scalars(sa.select(Merchant.state)).one(), count(Suspension)) == (MerchantState.ACTIVE, 0)


def test_a_paper_may_be_handed_in_again_after_it_was_asked_for(make: Factories, operator: Actor) -> None:
    found = applied(make)
    user = reading().get_one(User, found.user_id)
    perform(operations.ask, operator, found.id, "A photo that can be read, please", PaperKind.BUSINESS_LICENCE)
    hand_in(user, PaperKind.BUSINESS_LICENCE, photo(80, 80))
    perform(operations.answer, actor_of(user), "Here")
    assert latest(user).state is ApplicationState.WAITING
    assert count(ApplicationMessage) == 2
    assert clock.now() >= found.submitted_at  # type: ignore[operator]


def test_the_demo_city_has_an_application_in_each_queue(make: Factories) -> None:
    make.point()
    for phone in (seeding.OPERATOR, *(each.phone for each in seeding.APPLICATIONS)):
        make.user(phone)
    with transaction() as session:
        seeding.seed(session, Random(1))
    finish_reading()
    assert [len(queries.queue(reading(), tab)[0]) for tab in queries.TABS] == [1, 1, 0, 1]
    assert all(queries.missing(reading(), found) == () for found in reading().scalars(sa.select(Application)))
    assert [finding.name for finding in broken(reading()) if finding.name.startswith("onboarding.")] == []
