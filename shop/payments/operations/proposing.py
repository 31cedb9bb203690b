"""Money that one person wants to give back and another has to agree to: never both by one pair of eyes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.payments import ProposalState, RefundMethod, RefundProposal
from shop.payments.errors import AlreadyDecided, AlreadyProposed, OwnProposal
from shop.payments.tags import Done
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to


@operation
def propose(
    session: Session, actor: Actor, *, key: str, amount: Money, method: RefundMethod, reason: str, reference: str = "",
    sub_order_id: int | None = None, refund_id: int | None = None,
) -> bool:
    """Ask for somebody else's yes; nothing moves. False when this `key` asked before.

    A refund that failed has one open proposal at most: raises `AlreadyProposed`.
    """
    values = {
        "community_id": belonging_to("refund", refund_id) if refund_id is not None else belonging_to("sub_order", sub_order_id or 0),
        "amount": amount, "method": method, "reason": reason, "reference": reference, "sub_order_id": sub_order_id, "refund_id": refund_id,
    }
    made = insert_once(
        session, RefundProposal, key=key, state=ProposalState.ASKED, asked_by_id=actor.signed_in_id(), asked_at=clock.now(), **values
    )
    if made is None:
        if session.scalar(sa.select(RefundProposal.id).where(RefundProposal.key == key)) is None:
            raise AlreadyProposed()
        return False
    audit.record(session, actor, Done.REFUND_PROPOSED, "refund_proposal", made, amount=amount.fen, way=method.value, reason=reason)
    return True


@operation
def decide(session: Session, actor: Actor, proposal_id: int, *, agrees: bool) -> RefundProposal:
    """Say yes or no to a proposal, once; what it was. A yes is somebody else's: raises `OwnProposal`. Its asker may take it back.

    The caller moves the money in the same transaction. Raises `AlreadyDecided`, `NotFound`.
    """
    proposal = session.get(RefundProposal, proposal_id, populate_existing=True)
    if proposal is None:
        raise NotFound()
    if agrees and proposal.asked_by_id == actor.signed_in_id():
        raise OwnProposal()
    mine = sa.update(RefundProposal).where(RefundProposal.id == proposal_id, RefundProposal.state == ProposalState.ASKED)
    state = ProposalState.APPROVED if agrees else ProposalState.REFUSED
    if not take(session, mine.values(state=state, decided_by_id=actor.signed_in_id(), decided_at=clock.now())):
        raise AlreadyDecided()
    amount, way, asked_by = proposal.amount.fen, proposal.method.value, proposal.asked_by_id
    if agrees:
        audit.record(session, actor, Done.REFUND_AGREED, "refund_proposal", proposal_id, amount=amount, way=way, asked_by=asked_by)
    else:
        audit.record(session, actor, Done.REFUND_NOT_AGREED, "refund_proposal", proposal_id, amount=amount, way=way, asked_by=asked_by)
    return proposal
