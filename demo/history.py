"""The demo city's last weeks, written by the real operations with the clock moved back, up to this very moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo import people
from demo.agenda import Agenda
from demo.bill_paying import BillPaying
from demo.city import City
from demo.counter import Counter, cycles_of, ends, to_pack
from demo.shopping import CARD, WALLET, Shopping, Visit, send_refunds, top_up
from shop.cart import operations as cart
from shop.cart.rules import CartOwner
from shop.fulfilment import operations as fulfilment
from shop.fulfilment.errors import NothingPacked, StillOpen
from shop.kernel.money import ZERO, Money
from shop.models.orders import SubOrder, SubOrderState
from shop.models.platform import Job, JobState, Notice
from shop.payments.rules import CARD_MINIMUM
from shop.platform import audit_chains
from shop.platform.features import registry
from shop.wallet import queries as wallets

REGULARS = {"13800000001": 0.35, "13800000002": 0.12, "13800000003": 0.2}
LI_MEI, WANG_QIANG, CHEN_GUIFANG = REGULARS


def write(session: Session, chance: Random, city: City, days: int, step: Callable[[int], object]) -> None:
    """Let the last `days` days happen. `step` hears of each that has passed."""
    agenda = Agenda(chance)
    late = frozenset({city.residents[LI_MEI].signed_in_id(), city.residents[CHEN_GUIFANG].signed_in_id()})
    shopping, counter, paying = Shopping(agenda, city), Counter(agenda, city, late), BillPaying(agenda, city)
    begins = agenda.present - timedelta(days=days)
    well_off = [actor for phone, actor in city.residents.items() if actor.verification_level == 2 and phone not in REGULARS]
    for ago in range(days, -1, -1):
        day = agenda.today - timedelta(days=ago)
        counter.plan_day(day)
        shopping.plan_day(day, REGULARS)
        agenda.on(day, "6:00", send_refunds)
        if well_off and chance.random() < 0.5:
            buyer = chance.choice(well_off)
            agenda.on(day, "12:15", partial(top_up, buyer=buyer, amount=Money(chance.choice((50_00, 100_00, 200_00)))), within_minutes=500)
    paying.plan(days)
    plan_the_known_ones(agenda, shopping, city)
    agenda.run(session, begins, step)
    bring_on_the_way(session, city, agenda)
    for feature in registry.all():
        if feature.seed:
            feature.seed(session, chance)
    finish(session, city)


def plan_the_known_ones(agenda: Agenda, shopping: Shopping, city: City) -> None:
    """What everybody who looks at the demo finds: something ready, on its way, just ordered, not yet paid."""
    merchants = list(city.offers)
    li_mei, wang_qiang, chen = (city.residents[phone] for phone in (LI_MEI, WANG_QIANG, CHEN_GUIFANG))
    evenings = ((2, li_mei, merchants[:2]), (2, chen, merchants[1:3]), (1, li_mei, merchants[2:3]), (1, chen, merchants[3:4]))
    for days_ago, buyer, some in evenings:
        day = agenda.today - timedelta(days=days_ago)
        agenda.on(day, "17:30", shopping.visit(Visit(buyer, WALLET, tuple(some))), within_minutes=60)
    agenda.put(agenda.present - timedelta(minutes=50), shopping.visit(Visit(li_mei, WALLET, tuple(merchants[:1]))))
    agenda.put(agenda.present - timedelta(minutes=4), shopping.visit(Visit(wang_qiang, CARD, tuple(merchants[1:2]), ending="given_up")))


def bring_on_the_way(session: Session, city: City, agenda: Agenda) -> None:
    """Whatever the time of day, something is packed, something is on the road, something accepted: some shops are early."""
    early = 0
    for ahead in (0, 1, 2):
        for merchant_id, shopkeeper in city.shopkeepers.items():
            for cycle_id in cycles_of(session, merchant_id, agenda.today + timedelta(days=ahead)):
                waiting = to_pack(session, cycle_id)
                if not waiting or early >= 12:
                    continue
                fulfilment.accept_all(session, shopkeeper, cycle_id)
                if early % 3:
                    for sub_order_id in waiting:
                        Counter(agenda, city, frozenset()).pack_one(session, merchant_id, sub_order_id)
                if early % 3 == 2:
                    with suppress(NothingPacked, StillOpen):  # its only order was not to be had; people still order
                        fulfilment.hand_to_driver(session, shopkeeper, cycle_id)
                early += 1
                session.expunge_all()
    if not session.scalar(sa.select(sa.exists().where(SubOrder.state == SubOrderState.IN_TRANSIT))):
        send_first(session, city, agenda)


def send_first(session: Session, city: City, agenda: Agenda) -> None:
    """At noon all of today's goods are packed and nobody has left yet: one shop's driver is early."""
    for merchant_id, shopkeeper in city.shopkeepers.items():
        for cycle_id in cycles_of(session, merchant_id, agenda.today):
            with suppress(NothingPacked, StillOpen):
                fulfilment.hand_to_driver(session, shopkeeper, cycle_id)
                return


def finish(session: Session, city: City) -> None:
    """The last strokes: what is over ended, refunds sent, wallets as promised, a cart with something in it, nothing left to old workers."""
    ends(session)
    send_refunds(session)
    for resident in people.RESIDENTS:
        user_id = city.residents[resident.phone].signed_in_id()
        missing = Money(resident.yuan * 100) - wallets.balance(session, f"wallet:{user_id}")
        if missing >= CARD_MINIMUM:
            top_up(session, city.residents[resident.phone], missing)
        elif missing > ZERO:  # whoever was given back more keeps it
            people.put_in(session, user_id, missing, "rest")
    first, second = list(city.offers.values())[:2]
    for offer in (first[0], second[0]):
        cart.set_line(session, CartOwner(user_id=city.residents[LI_MEI].user_id), offer.code, 1)
    session.execute(sa.update(Job).where(Job.state == JobState.QUEUED).values(state=JobState.DONE, finished_at=Job.run_at))
    read = sa.select(sa.func.max(Notice.id)).group_by(Notice.user_id)
    session.execute(sa.update(Notice).where(Notice.id.not_in(read)).values(read_at=Notice.created_at))
    session.flush()
    while audit_chains.seal(session, grace=timedelta(0)):
        session.expunge_all()
