"""Money that goes back, where orders and payments meet: what the provider did by its own hand, what it refused, what people decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import CURRENCY, ZERO, Money
from shop.models.orders import Purchase
from shop.models.payments import Payment, PaymentPurpose, PaymentState, Refund, RefundMethod, RefundState
from shop.orders import operations as orders
from shop.orders.operations.refunding import give_back
from shop.orders.operations.step import Step, open_step, part_numbered, part_of
from shop.orders.rules import RELEASED
from shop.payments import operations as payments
from shop.payments import queries
from shop.payments.errors import AlreadyLookedAfter, PaymentNotFound
from shop.payments.rules import GIVEN_TWICE
from shop.payments.snapshots import RefundSnapshot
from shop.platform import audit, notices
from shop.platform.actor import PROVIDER, Actor
from shop.platform.own import refuse_own
from shop.settlement.errors import NeedsAnother
from shop.settlement.rules import PLANNED_ANEW, Assigned, Room, assign
from shop.settlement.tags import Done
from shop.wallet import queries as wallets

REASON = "given back at the provider's side"


@operation
def know(session: Session, payment_id: int, made: Iterable[RefundSnapshot]) -> bool:
    """Bring our books to the provider's list of a payment's refunds, the oldest first. However often and by whom told: one effect.

    Ours take its answer. What somebody gave back at the provider's side becomes refunds of its own, so that everything planned
    later is planned with what is left. False: one does not fit beside refunds of ours that are not sent yet; those are to be carried
    on first, and the provider's answer to them brings it here again (`refused`).
    """
    fits = True
    for one in made:
        fits = _know(session, payment_id, one) and fits
    return fits


def _opened(session: Session, payment_id: int) -> tuple[Payment, Step | None]:
    """The payment and, where it pays an order, the step on that order: locked, read anew. Raises `PaymentNotFound`."""
    purchase_id = session.scalar(sa.select(Payment.purchase_id).where(Payment.id == payment_id))
    step = open_step(session, purchase_id) if purchase_id is not None else None
    payment = session.get(Payment, payment_id, with_for_update={"key_share": True}, populate_existing=True)
    if payment is None:
        raise PaymentNotFound()
    return payment, step if payment.pays_purchase else None


def _know(session: Session, payment_id: int, made: RefundSnapshot) -> bool:
    payment, step = _opened(session, payment_id)
    known = queries.rows_of(session, payment.id, made)
    for refund in known:
        if made.ok is None:
            payments.keep_refund(session, refund.id, made.provider_ref)
        else:
            payments.settle_refund(session, refund.id, made.ok, made.provider_ref, made.failure_code or "refused")
    is_nothing = made.ok is False or payment.state is not PaymentState.SUCCEEDED or made.currency != CURRENCY
    if known or is_nothing:
        return True
    session.refresh(payment, ["refunded_amount"])
    lacking = payment.refunded_amount + made.amount - payment.amount
    twice: list[int] = []
    if lacking > ZERO:
        elsewhere = Money.total(refund.amount for refund in queries.gone_another_way(session, payment_id))
        if queries.is_on_its_way(session, payment_id) or elsewhere < lacking:
            return False
        twice = _given_twice(session, payment_id, lacking)
        session.refresh(payment, ["refunded_amount"])
    _book(session, payment, step, made)
    for refund_id in twice:
        payments.went_before(session, refund_id)
    return True


def _given_twice(session: Session, payment_id: int, lacking: Money) -> list[int]:
    """Refunds that had gone into a wallet or by transfer, so many that the provider's own fits in their place: that money left us twice."""
    twice: list[int] = []
    for refund in queries.gone_another_way(session, payment_id):
        if lacking > ZERO and payments.given_twice(session, refund.id):
            twice.append(refund.id)
            lacking -= refund.amount
    return twice


def _book(session: Session, payment: Payment, step: Step | None, made: RefundSnapshot) -> None:
    """Write down what the provider's side gave back, by what it was for."""
    pieces = assign(made.amount, made.order, _rooms(session, payment, step))
    for number, piece in enumerate(pieces, start=1):
        cause = f"provider:{made.provider_ref}" if len(pieces) == 1 else f"provider:{made.provider_ref}:{number}"
        for refund in _booked(session, payment, step, made, piece, cause):
            if made.ok:
                payments.settle_refund(session, refund.id, True, made.provider_ref)
    audit.record(session, PROVIDER, Done.REFUND_MADE_BY_PROVIDER, "payment", payment.id, amount=made.amount.fen)
    number_of = session.scalar(sa.select(Purchase.number).where(Purchase.id == payment.purchase_id)) if payment.purchase_id else None
    notices.post(
        session, payment.user_id, "payment.given_back_by_provider", dedupe_key=f"provider:{made.provider_ref}",
        link=f"/orders/{number_of}" if number_of else f"/payments/{payment.ref}", amount=str(made.amount),
    )


def _rooms(session: Session, payment: Payment, step: Step | None) -> list[Room]:
    failed: dict[int | None, list[tuple[int, Money]]] = {}
    held = queries.held_refunds(session, payment.id)
    for refund in sorted(held, key=lambda refund: refund.failure_code == GIVEN_TWICE):  # what did not arrive at all comes first
        failed.setdefault(refund.sub_order_id, []).append((refund.id, refund.amount - refund.carried_on))
    rooms = [Room(None, "", ZERO, True, tuple(failed.pop(None, ())))]
    for part in step.parts if step is not None else ():
        rooms.append(Room(part.id, part.number, part.left, part.state not in RELEASED, tuple(failed.get(part.id, ()))))
    return rooms


def _booked(
    session: Session, payment: Payment, step: Step | None, made: RefundSnapshot, piece: Assigned, cause: str
) -> list[Refund]:
    """One piece, out of where its money is: a refund that failed, the order's escrow or its merchant, the wallet it topped up.

    What nobody's money is left for comes out of suspense, and a person has it: no wallet goes below nothing.
    """
    if piece.refund_id is not None:
        by_provider = payments.carry_on(
            session, piece.refund_id, amount=piece.amount, method=RefundMethod.STRIPE, reason=REASON, cause=cause, made=made
        )
        if session.get_one(Refund, piece.refund_id).failure_code == GIVEN_TWICE:
            _note_uncovered(session, by_provider)
        return [by_provider]
    if piece.sub_order_id is not None and step is not None:
        return [give_back(session, step, step.part(piece.sub_order_id), piece.amount, cause, REASON, made=made)]
    there = ZERO
    if payment.purpose is PaymentPurpose.TOP_UP:
        there = min(wallets.balance(session, f"wallet:{payment.user_id}"), piece.amount)
    booked = []
    for amount, source, named in ((there, f"wallet:{payment.user_id}", cause), (piece.amount - there, "suspense", f"{cause}:uncovered")):
        if amount:
            refund = payments.open_refund(
                session, payment_id=payment.id, cause=named, amount=amount, reason=REASON, source=source, method=RefundMethod.STRIPE,
                made=made,
            )  # fmt: skip
            booked.append(refund)
            if source == "suspense":
                _note_uncovered(session, refund)
    return booked


def _note_uncovered(session: Session, refund: Refund) -> None:
    payments.note_uncovered(session, refund.id)
    audit.record(session, PROVIDER, Done.REFUND_UNCOVERED, "refund", refund.id, amount=refund.amount.fen)


class StillUnknown(Exception):
    """What the provider gave back cannot be booked."""


@operation
def refused(session: Session, refund_id: int, reason: str, made: Sequence[RefundSnapshot]) -> None:
    """The provider's no to a refund of ours, told with its list of all refunds of that payment.

    Where that list shows money given back that we did not know of, that is the reason: it is booked, and what is still to go back
    is planned anew. Otherwise the refund has failed, and a person has it. Told twice, or told late: one effect.
    """
    payment_id = session.scalar(sa.select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        return
    _opened(session, payment_id)
    refund = session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state is not RefundState.REQUESTED:
        return
    unknown = queries.unknown_of(session, payment_id, made)
    if any(one.our_ref == refund.ref for one in made) or not unknown:
        know(session, payment_id, made)
        payments.settle_refund(session, refund_id, False, failure_code=reason)  # does nothing where the list had its end
        return
    try:
        with session.begin_nested():
            payments.settle_refund(session, refund_id, False, failure_code=PLANNED_ANEW, quietly=True)
            know(session, payment_id, made)
            if queries.unknown_of(session, payment_id, made):
                raise StillUnknown()
    except StillUnknown:  # planned anew without it, it would be refused anew, without end
        payments.settle_refund(session, refund_id, False, failure_code=reason)
        return
    refund = session.get_one(Refund, refund_id, populate_existing=True)
    left = refund.amount - refund.carried_on
    audit.record(session, PROVIDER, Done.REFUND_PLANNED_ANEW, "refund", refund_id, amount=refund.amount.fen, left=left.fen)
    if left:
        payments.carry_on(session, refund_id, amount=left, method=RefundMethod.STRIPE)


TOLD = {RefundMethod.STRIPE: "payment.refund_sent_again", RefundMethod.WALLET: "payment.refund_to_wallet"}


@operation
def try_again(session: Session, actor: Actor, ref: str, method: RefundMethod) -> Money:
    """Send what a refund that failed still holds once more: to the card, or into its owner's wallet at once. How much that was.

    A second click, or somebody faster: raises `AlreadyLookedAfter`, and nothing moves again. Also `NotFound`, `WalletNotOpen`, and
    `OwnDeed` for its owner.
    """
    failed = _locked_refund(session, ref)
    refuse_own(actor, session.get_one(Payment, failed.payment_id).user_id)
    left: Money = failed.amount - failed.carried_on
    if method not in TOLD or failed.state is not RefundState.FAILED or not left:
        raise AlreadyLookedAfter()
    made = payments.carry_on(session, failed.id, amount=left, method=method)
    payment = session.get_one(Payment, failed.payment_id)
    audit.record(session, actor, Done.REFUND_SENT_AGAIN, "refund", failed.id, amount=left.fen, way=method.value)
    notices.post(
        session, payment.user_id, TOLD[method], dedupe_key=f"refund:{made.id}:carried_on", link=f"/payments/{payment.ref}",
        amount=str(left),
    )
    return left


def _locked_refund(session: Session, ref: str) -> Refund:
    """A refund with its payment and order locked first, read anew."""
    payment_id = session.scalar(sa.select(Refund.payment_id).where(Refund.ref == ref))
    if payment_id is None:
        raise NotFound()
    _opened(session, payment_id)
    return session.scalars(sa.select(Refund).where(Refund.ref == ref).execution_options(populate_existing=True)).one()


@operation
def ask_to_transfer(session: Session, actor: Actor, ref: str, *, key: str, reason: str, reference: str) -> bool:
    """Ask that what a refund that failed holds be transferred by hand; nothing moves until somebody else agrees.

    False when this `key` asked before. Raises `AlreadyLookedAfter`, `AlreadyProposed`, `NotFound`.
    """
    failed = _locked_refund(session, ref)
    left = failed.amount - failed.carried_on
    if failed.state is not RefundState.FAILED or not left:
        raise AlreadyLookedAfter()
    return payments.propose(
        session, actor, key=key, amount=left, method=RefundMethod.BANK, reason=reason, reference=reference, refund_id=failed.id
    )


@operation
def give_part_back(session: Session, actor: Actor, number: str, *, key: str, amount: Money, reason: str, alone_up_to: Money) -> bool:
    """Give back an amount of a sub-order, to where it came from. Once per `key`: False when told before.

    Raises `NeedsAnother` above what may be given back of one order without another's yes, in however many pieces; `RefundTooLarge`,
    `OwnDeed` for the buyer, `NotFound`.
    """
    found = part_numbered(session, number)
    refuse_own(actor, found.user_id)
    step, cause = open_step(session, found.purchase_id), f"sub_order:{found.id}:given:{key}"
    given = queries.given_by_causes(session, {part.id: f"sub_order:{part.id}:given:" for part in step.parts}, but=cause)
    if given + amount > alone_up_to:
        raise NeedsAnother(limit=alone_up_to)
    return _give(session, actor, found.id, amount, cause, reason)


def _give(session: Session, actor: Actor, part_id: int, amount: Money, cause: str, reason: str) -> bool:
    if not orders.refund(session, actor, part_id, amount=amount, cause=cause, reason=reason):
        return False
    part = part_of(session, part_id)
    notices.post(
        session, part.user_id, "orders.given_back", dedupe_key=cause, link=f"/orders/{part.number.rpartition('-')[0]}",
        number=part.number, amount=str(amount),
    )
    return True


@operation
def ask_to_give_part_back(
    session: Session, actor: Actor, number: str, *, key: str, amount: Money, reason: str, reference: str = ""
) -> bool:
    """Ask that an amount of a sub-order be given back: to where it came from, or by transfer where there is a `reference` for one.

    Nothing moves until somebody else agrees. False when this `key` asked before. Raises `RefundTooLarge`, `NotFound`.
    """
    part = part_numbered(session, number)
    orders.check_left(part, amount)
    method = RefundMethod.BANK if reference else _way_of(session, part.purchase_id)
    return payments.propose(
        session, actor, key=key, amount=amount, method=method, reason=reason, reference=reference, sub_order_id=part.id
    )


def _way_of(session: Session, purchase_id: int) -> RefundMethod:
    method = session.scalars(sa.select(Purchase.method).where(Purchase.id == purchase_id)).one()
    return RefundMethod(method.value)


@operation
def decide(session: Session, actor: Actor, proposal_id: int, *, agrees: bool) -> bool:
    """Agree to a proposal of somebody else, which moves its money once, or refuse it. What was decided.

    Neither who asked nor who gets the money agrees: raises `OwnProposal`, `OwnDeed`. Also `AlreadyDecided`, and whatever stands against
    it by now (`RefundTooLarge`, `AlreadyLookedAfter`): nothing is decided then.
    """
    if agrees:
        refuse_own(actor, queries.payer_of_proposal(session, proposal_id))
    proposal = payments.decide(session, actor, proposal_id, agrees=agrees)
    if not agrees:
        return False
    if proposal.sub_order_id is not None:
        by_hand = proposal.method is RefundMethod.BANK
        cause = f"proposal:{proposal.id}"
        if by_hand:
            refund = orders.refund_by_hand(
                session, actor, proposal.sub_order_id, amount=proposal.amount, cause=cause, reason=proposal.reason
            )
            _transferred(session, refund, proposal.reference)
        else:
            _give(session, actor, proposal.sub_order_id, proposal.amount, cause, proposal.reason)
        return True
    failed = session.get_one(Refund, proposal.refund_id)
    _locked_refund(session, failed.ref)
    made = payments.carry_on(session, failed.id, amount=proposal.amount, method=RefundMethod.BANK, reason=proposal.reason)
    audit.record(session, actor, Done.REFUND_TRANSFERRED, "refund", failed.id, amount=proposal.amount.fen)
    _transferred(session, made, proposal.reference)
    return True


def _transferred(session: Session, refund: Refund, reference: str) -> None:
    payments.settle_refund(session, refund.id, True)
    payment = session.get_one(Payment, refund.payment_id)
    notices.post(
        session, payment.user_id, "payment.refund_by_hand", dedupe_key=f"refund:{refund.id}:transferred", link=f"/payments/{payment.ref}",
        amount=str(refund.amount), reference=reference,
    )
