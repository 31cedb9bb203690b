"""What operators do with an application: ask, approve once, decline."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import operations as accounts
from shop.accounts.rules import FOUNDS_A_SHOP
from shop.kernel import clock
from shop.kernel.db import operation, refuse, take
from shop.kernel.errors import NotFound
from shop.merchants import operations as merchants
from shop.models.merchants import MerchantState
from shop.models.onboarding import Application, ApplicationMessage, ApplicationPaper, ApplicationState, Licence, PaperKind
from shop.onboarding import queries, rules
from shop.onboarding.errors import ChangedMeanwhile, CodeIsTaken, NotWaiting, ReasonMissing
from shop.onboarding.operations.drafting import step
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.rules import Step
from shop.onboarding.tags import Done
from shop.pickup import operations as pickup
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own

A, P = Application, ApplicationPaper
refuse("uq_applications_uscc", CodeIsTaken)


def here(session: Session, actor: Actor, application_id: int) -> Application:
    """An application this person may decide about, locked: of two who decide the second sees what the first did.

    Raises `NotFound`, `OwnDeed` for one's own.
    """
    if not actor.everywhere(OnboardingPermission.APPLICATION_DECIDE):
        raise NotFound()
    found = queries.handed_in(session, application_id, locks=True)
    refuse_own(actor, found.user_id)
    return found


def told(session: Session, found: Application, kind: str, key: str, **facts: Any) -> None:
    notices.post(session, found.user_id, f"onboarding.{kind}", dedupe_key=f"onboarding:{found.id}:{key}", link="/join", **facts)


@operation
def ask(session: Session, actor: Actor, application_id: int, text: str, paper: PaperKind | None = None) -> None:
    """Ask the applicant something, and perhaps for a paper; until they answer it does not wait here.

    Raises `NotFound`, `OwnDeed`, `AnswerMissing`, `NotWaiting`.
    """
    found, moment = here(session, actor, application_id), clock.now()
    rules.needed(text, "text")
    if not take(session, step(A.id == found.id, Step.ASK)):
        raise NotWaiting()
    question = ApplicationMessage(
        application_id=found.id, author_id=actor.signed_in_id(), is_question=True, text=text, paper=paper, at=moment
    )  # fmt: skip
    session.add(question)
    session.flush()
    audit.record(session, actor, Done.ASKED, "application", found.id)
    told(session, found, "asked", f"asked:{question.id}")


@operation
def decline(session: Session, actor: Actor, application_id: int, reason: str) -> None:
    """Decline it, and say why; its papers go some time later. Raises `NotFound`, `OwnDeed`, `ReasonMissing`, `NotWaiting`."""
    found = here(session, actor, application_id)
    if not reason:
        raise ReasonMissing()
    declined = step(A.id == found.id, Step.DECLINE, decided_at=clock.now(), decided_by_id=actor.signed_in_id(), reason=reason)
    if not take(session, declined):
        raise NotWaiting()
    audit.record(session, actor, Done.DECLINED, "application", found.id, reason=reason)
    told(session, found, "declined", "decided")


@operation
def approve(session: Session, actor: Actor, application_id: int, seen: int, commission_bps: int) -> int:
    """Make a shop of an application, with its owner, its points and its licences, once, whoever presses twice; the id of the shop.

    `seen` is how often it had been changed when it was looked at. Raises `NotFound`, `OwnDeed`, `ChangedMeanwhile`, `NotWaiting`,
    `CodeIsTaken`.
    """
    found, moment = here(session, actor, application_id), clock.now()
    if found.state is not ApplicationState.WAITING:
        raise NotWaiting()
    if found.uscc and queries.sells_elsewhere(session, found.uscc, (MerchantState.ACTIVE, MerchantState.SUSPENDED)):
        raise CodeIsTaken()
    shop_id = merchants.open_shop(
        session, f"shop-{found.id}", rules.SHOP_KINDS[found.kind], name_zh=found.name_zh, name_en=found.name_en or found.name_zh,
        uscc=found.uscc, business_zh=found.business_zh, business_en=found.business_en or found.business_zh, commission_bps=commission_bps,
    )  # fmt: skip
    approved = step(
        sa.and_(A.id == found.id, A.changes == seen), Step.APPROVE, decided_at=moment, decided_by_id=actor.signed_in_id(),
        merchant_id=shop_id,
    )  # fmt: skip
    if not take(session, approved):
        raise ChangedMeanwhile()
    pickup.serve(session, shop_id, found.point_ids)
    ends = {paper.kind: paper.valid_until for paper in queries.papers(session, found.id) if paper.kind in rules.LICENCES}
    session.add_all(
        Licence(merchant_id=shop_id, kind=kind, legal_name=found.legal_name, valid_until=ends[kind], created_at=moment) for kind in ends
    )
    accounts.grant_role(session, actor, queries.applicant_of(session, found).phone, FOUNDS_A_SHOP, merchant_id=shop_id)
    audit.record(session, actor, Done.APPROVED, "application", found.id, merchant_id=shop_id, commission=f"{commission_bps / 100:g} %")
    told(session, found, "approved", "decided", shop={"zh": found.name_zh, "en": found.name_en or found.name_zh})
    return shop_id
