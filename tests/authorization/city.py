"""A city in which everybody has one of everything, so that each door can be asked for one's own, another's, and what is elsewhere.

Three shops sell at three points, two of them in one community. Everybody who asks has bought something at the first point; a
neighbour has as well, somebody else bought from the second shop at the second point, and somebody of another community from the
third shop at the third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shop.bills import operations as bills
from shop.kernel import clock, ids
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role, SessionKind, User, UserSession
from shop.models.bills import Biller, BillPayment, BillPaymentState
from shop.models.bulletin import VersionState
from shop.models.catalog import ProductImage, Variant
from shop.models.communities import Community
from shop.models.imports import ImportKind, ImportState, ProductImport
from shop.models.orders import OrderLine, SubOrder
from shop.models.payments import Payment, Refund, RefundMethod, RefundProposal, RefundState
from shop.models.pickup import Batch, Handover, HandoverOutcome, PickupPoint
from shop.models.platform import Job, JobState, Notice
from shop.models.stock import LossReason, MovementKind, StockItem, StockLoss, StockMovement
from tests.support.applying import make_application, make_suspension
from tests.support.bills import save_billers
from tests.support.bulletin import make_text
from tests.support.counter import Counter
from tests.support.factories import Factories, actor_of
from tests.support.people import open_session
from tests.support.reviews import make_review

ROLES = ("stranger", "resident", "owner", "clerk", "keeper", "operator", "finance", "auditor")
GRANTED = {
    "owner": Role.MERCHANT_OWNER, "clerk": Role.MERCHANT_CLERK, "keeper": Role.KEEPER, "operator": Role.OPERATOR, "finance": Role.FINANCE,
    "auditor": Role.AUDITOR,
}  # fmt: skip
TEXTS = (VersionState.PUBLISHED, VersionState.WAITING)
WHOSE = ("own", "other", "elsewhere", "missing")


@dataclass(frozen=True)
class Belongings:
    """What is somebody's, or hangs on what they bought, by the names the doors know it by."""

    person: User
    values: dict[str, Any]


class City:
    """`city.people[role]`, and `city.things(role, whose, console)` for what stands in a path, a form or a body."""

    def __init__(self, make: Factories) -> None:
        self.make = make
        self.counters = [Counter(make, merchants=1) for _ in range(3)]
        for counter, code in zip(self.counters, ("rice", "oil", "salt"), strict=True):
            counter.goods(code, price=2_000, on_hand=1_000)
        with transaction() as session:
            session.get_one(PickupPoint, self.counters[1].point.id).community_id = self.counters[0].point.community_id
        save_billers()
        here = self.counters[0]
        self.people = {role: here.buyer() for role in ROLES if role != "stranger"}
        place: dict[str, dict[str, Any]] = {
            "owner": {"merchant": here.merchants[0]}, "clerk": {"merchant": here.merchants[0]}, "keeper": {"point": here.point},
        }  # fmt: skip
        for role, granted in GRANTED.items():
            make.grant(self.people[role], granted, **place.get(role, {}))
        self.asker = make.user()
        self.job = make.save(
            Job(
                kind="bills.send", arguments={}, dedupe_key="matrix", state=JobState.DEAD, run_at=clock.now(), attempts=12, fence=12,
                created_at=clock.now(), community_id=CITY,
            )
        )
        self.members = [make.user() for _ in self.counters]
        for counter, member in zip(self.counters, self.members, strict=True):
            make.grant(member, Role.MERCHANT_CLERK, merchant=counter.merchants[0])
            make_suspension(make, counter.merchants[0], self.asker)
        for counter, code in zip(self.counters, ("rice", "oil", "salt"), strict=True):
            self.lose(counter, code)
        self.own = {role: self.belongings(0, person) for role, person in self.people.items()}
        self.others = [self.belongings(number, counter.buyer()) for number, counter in enumerate(self.counters)]

    def lose(self, counter: Counter, code: str) -> None:
        """Something of a shop was written off, by nobody who is asked about here."""
        variant_id = reading().scalars(sa.select(Variant.id).where(Variant.code == code)).one()
        goods = {"merchant_id": counter.merchants[0].id, "variant_id": variant_id, "at": clock.now()}
        moved = StockMovement(kind=MovementKind.SPOILAGE, quantity=-1, told=1, cause=f"matrix:{code}", **goods)
        self.make.save(StockLoss(movement_id=self.make.save(moved).id, reason=LossReason.BROKEN, **goods))
        with transaction() as session:
            session.execute(sa.update(StockItem).where(StockItem.variant_id == variant_id).values(on_hand=StockItem.on_hand - 1))

    def belongings(self, number: int, person: User) -> Belongings:
        counter = self.counters[number]
        code = ("rice", "oil", "salt")[number]
        visit = counter.ready(person, {code: 1})
        session = reading()
        part = session.scalars(sa.select(SubOrder).where(SubOrder.user_id == person.id)).one()
        payment = session.scalars(sa.select(Payment).where(Payment.user_id == person.id)).one()
        account, removed, removed_too = (
            perform(bills.save_account, actor_of(person), "mobile", f"139{person.id:04d}{place:04d}") for place in range(3)
        )
        variant = session.scalars(sa.select(Variant).where(Variant.code == code)).one()
        made = {"created_at": clock.now(), "community_id": counter.point.community_id}
        bill = self.make.save(
            BillPayment(
                ref=ids.secret(), serial=ids.secret(), request_key=ids.secret(), user_id=person.id,
                biller_id=session.scalars(sa.select(Biller.id).where(Biller.code == "mobile")).one(), bill_account_id=account.id,
                account_no=account.account_no, total=Money(3_000),
                state=BillPaymentState.POSTED, paid_with_id=payment.id, posted_at=clock.now(), **made,
            )
        )
        refund = self.make.save(
            Refund(
                ref=ids.secret(), payment_id=payment.id, cause=f"matrix:{person.id}", sub_order_id=part.id, amount=Money(100),
                state=RefundState.FAILED, reason="why", method=RefundMethod.STRIPE, settled_at=clock.now(), handed_over_at=clock.now(),
                **made,
            )
        )
        proposal = self.make.save(
            RefundProposal(
                key=f"matrix:{person.id}", sub_order_id=part.id, amount=Money(100), method=RefundMethod.WALLET, reference="", reason="why",
                asked_by_id=self.asker.id, asked_at=clock.now(), community_id=counter.point.community_id,
            )
        )
        line = session.scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id)).one()
        review = make_review(self.make, line, counter.merchants[0].id, self.asker.id, person)
        standing, waiting = (make_text(self.make, made["community_id"], self.asker, state) for state in TEXTS)
        handed_in, handed_in_paper = make_application(self.make, person, self.asker)
        _draft, draft_paper = make_application(self.make, person)
        told = f"matrix-{person.id}"
        self.make.save(
            Handover(
                client_id=told, pickup_point_id=counter.point.id, pass_id=visit.id, keeper_id=counter.keeper_user.id,
                outcome=HandoverOutcome.ACCEPTED, device_time=clock.now(), received_at=clock.now(),
                community_id=counter.point.community_id,
            )
        )
        notice = self.make.save(
            Notice(user_id=person.id, kind="wallet.pin_cleared", facts={}, link="/wallet", dedupe_key=f"matrix:{person.id}", **made)
        )
        sheet = self.make.save(
            ProductImport(
                ref=f"IM-{ids.readable(12)}", merchant_id=counter.merchants[0].id, kind=ImportKind.FIGURES, state=ImportState.CHECKED,
                file_name="x.csv", usual={}, headers={}, created_by=person.id, created_at=clock.now(),
            )
        )
        counter.fill(person, {code: 1})
        picture = self.make.save(ProductImage(product_id=variant.product_id, file=f"00/{'0' * 32}.webp", position=person.id))
        values = {
            "quote": counter.quote(person).ref, "purchase": part.number.rpartition("-")[0],
            "part": part.number, "cycle": part.cycle_id, "pass": visit.ref,
            "scan": visit.code, "payment": payment.ref, "account": account.ref, "account to remove": removed.ref,
            "account to remove by API": removed_too.ref, "bill payment": bill.ref, "refund": refund.ref, "proposal": proposal.id,
            "application": handed_in.id, "paper": handed_in_paper.id, "draft paper": draft_paper.id,
            "member": self.members[number].id,
            "bulletin notice": standing.notice_id, "bulletin text": waiting.id,
            "community": session.scalars(sa.select(Community.slug).where(Community.id == counter.point.community_id)).one(),
            "hand-over": told, "notice": notice.id, "variant": code, "import": sheet.ref, "picture": picture.id,
            "job": self.job.id, "partner": "sms",
            "line": line.id, "review": review.id,
            "movement": session.scalars(
                sa.select(StockMovement.id).where(StockMovement.variant_id == variant.id).order_by(StockMovement.id)
            ).first(),
            "batch": session.scalars(sa.select(Batch.code).where(Batch.cycle_id == part.cycle_id)).one(),
            "merchant": counter.merchants[0].code, "merchant id": counter.merchants[0].id, "point": counter.point.slug,
            "point id": counter.point.id,
        }  # fmt: skip
        return Belongings(person, values)

    def session_of(self, person: User) -> int:
        """A device that is signed in, made for this question."""
        open_session(person, SessionKind.WEB)
        reading().rollback()
        return reading().scalars(sa.select(sa.func.max(UserSession.id)).where(UserSession.user_id == person.id)).one()

    def things(self, role: str, whose: str, console: str) -> dict[str, Any]:
        """What is one's own at a console is what belongs to one's shop or point; elsewhere, and for who has neither, what one bought."""
        neighbour, second, elsewhere = self.others
        works_here = {"merchant": ("owner", "clerk"), "station": ("keeper",)}.get(console, ())
        at_work = console in ("merchant", "station")
        chosen = {
            "own": neighbour if role in ("stranger", *works_here) else self.own.get(role, neighbour),
            "other": second if at_work else neighbour, "elsewhere": elsewhere,
        }.get(whose)  # fmt: skip
        if chosen is None:
            return MISSING
        return {**chosen.values, "session": self.session_of(chosen.person)}


MISSING: dict[str, Any] = {
    "quote": "nothing", "purchase": "L261130-XXXXXX", "part": "L261130-XXXXXX-1", "pass": "nothing", "scan": "000000", "payment": "nothing",
    "account": "nothing", "account to remove": "nothing", "account to remove by API": "nothing", "bill payment": "nothing",
    "refund": "nothing", "hand-over": "nothing", "variant": "nothing", "partner": "nothing",
    "merchant": "nothing", "point": "nothing", "community": "nothing", "import": "nothing", "batch": "T991231-9999",
    **dict.fromkeys(
        ("bulletin notice", "bulletin text", "application", "paper", "draft paper", "cycle", "proposal", "notice", "job", "line",
         "movement", "session", "merchant id", "picture", "point id", "member", "review"),
        987_654,
    ),
}  # fmt: skip
