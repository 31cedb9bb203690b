"""The desk of operators: the queue of applications, one of them with its papers and questions, and shops that may be suspended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Response, flash, redirect, render_template, url_for

from shop.communities.queries import directory
from shop.kernel import gate
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.text import mask_phone
from shop.models.onboarding import ApplicantKind, ApplicationState, PaperKind
from shop.onboarding import operations, queries, rules
from shop.onboarding.errors import PaperUnknown, ReasonMissing
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.views import bp
from shop.platform.access import opens, permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.forms import NotADay
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, words
from shop.platform.sure import ask_first

USUAL_COMMISSION = {ApplicantKind.SERVICE_PROVIDER: "8"}


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    return render_template(
        f"onboarding/desk/{template}.html", section=section, may_open=partial(opens, actor), person=actor.user_id,
        waiting=queries.waiting(reading()) if opens(actor, "onboarding.desk") else 0, **values,
    )  # fmt: skip


@bp.get("/admin/applications")
@permitted(OnboardingPermission.APPLICATION_READ)
def desk(actor: Actor) -> Any:
    """What waits, oldest first; what waits for the applicant; what was decided."""
    tab = address.choice("tab", queries.TABS, "waiting")
    rows, following = queries.queue(reading(), tab, address.place())
    return page("queue", actor, "applications", rows=rows, next_cursor=following, tab=tab)


@bp.get("/admin/applications/<id:application_id>")
@permitted(OnboardingPermission.APPLICATION_READ)
def application(actor: Actor, application_id: int) -> Any:
    """One application: what was said, which papers there are, what was asked."""
    return application_page(actor, application_id)


def application_page(actor: Actor, application_id: int, error: ShopError | None = None, deed: str = "") -> Any:
    found = queries.handed_in(reading(), application_id)
    applicant, known = queries.applicant_of(reading(), found), directory(reading()).points_by_id
    there = queries.papers(reading(), found.id)
    needed = rules.needed_papers(found.kind, found.food)
    shown = page(
        "application", actor, "applications", one=found, applicant=applicant.display_name, phone=mask_phone(applicant.phone),
        points=[name_of(known[point_id]) for point_id in found.point_ids if point_id in known], papers=there,
        lacking=[kind for kind in needed if kind not in {paper.kind for paper in there}],
        messages=queries.messages(reading(), found.id), paper_kinds=[(kind.value, words(rules.PAPER_WORDS[kind][0])) for kind in PaperKind],
        is_open=found.state in rules.before(rules.Step.DECLINE), waits=found.state is ApplicationState.WAITING,
        shop_code=f"shop-{found.id}" if found.merchant_id else "", commission=sent.raw("commission", 10) if deed == "approve" else
        USUAL_COMMISSION.get(found.kind, "3"), trouble=told(error) if error else "", deed=deed,
        typed=sent.raw("text" if deed == "ask" else "reason", rules.LONGEST_TEXT) if error else "",
    )  # fmt: skip
    return (shown, error.status) if error else shown


def done(deed: Callable[[], object], said: str, application_id: int) -> Any:
    """Do it and go back to the application; a refusal is told there."""
    try:
        deed()
        flash(said, "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("onboarding.application", application_id=application_id), 303)


@bp.post("/admin/applications/<id:application_id>/ask")
@permitted(OnboardingPermission.APPLICATION_DECIDE)
def ask(actor: Actor, application_id: int) -> Any:
    """Ask the applicant something, and perhaps for one more paper."""
    queries.handed_in(reading(), application_id)
    wanted = sent.word("paper")
    try:
        text = rules.needed(sent.text("text", rules.LONGEST_TEXT), "text")
        if wanted and wanted not in set(PaperKind):
            raise PaperUnknown()
    except ShopError as error:
        return application_page(actor, application_id, error, "ask")
    paper = PaperKind(wanted) if wanted else None
    said = _("Asked. The applicant gets a message.")
    return done(lambda: perform(operations.ask, actor, application_id, text, paper), said, application_id)


@bp.post("/admin/applications/<id:application_id>/decline")
@permitted(OnboardingPermission.APPLICATION_DECIDE)
def decline(actor: Actor, application_id: int) -> Any:
    """Decline it, and say why."""
    queries.handed_in(reading(), application_id)
    try:
        reason = sent.text("reason", rules.LONGEST_REASON)
        if not reason:
            raise ReasonMissing()
    except ShopError as error:
        return application_page(actor, application_id, error, "decline")
    return done(lambda: perform(operations.decline, actor, application_id, reason), _("Declined. The applicant reads why."), application_id)


@bp.post("/admin/applications/<id:application_id>/approve")
@permitted(OnboardingPermission.APPLICATION_DECIDE)
def approve(actor: Actor, application_id: int) -> Any:
    """Make a shop of it."""
    typed = sent.raw("commission", 10)
    found = queries.handed_in(reading(), application_id)
    try:
        share = rules.commission(typed)
    except ShopError as error:
        return application_page(actor, application_id, error, "approve")
    question = _("Open the shop “%(name)s” with a commission of %(share)s %%?", name=name_of(found), share=f"{share / 100:g}")
    if asking := ask_first(question, yes=_("Open the shop"), is_grave=False):
        return asking
    seen = sent.number("seen")
    return done(
        lambda: perform(operations.approve, actor, application_id, seen, share), _("The shop is open. Its owner gets a message."),
        application_id,
    )  # fmt: skip


@bp.post("/admin/applications/papers/<id:paper_id>")
@permitted(OnboardingPermission.PAPER_REVEAL)
def reveal(actor: Actor, paper_id: int) -> Any:
    """What is on a paper, once a reason is given; each look is put on record."""
    application_id = queries.application_of(reading(), paper_id)
    try:
        scan = perform(operations.reveal, actor, paper_id, sent.text("reason", rules.LONGEST_REASON))
    except NotFound:
        raise
    except ShopError as error:
        return application_page(actor, application_id, error, f"paper-{paper_id}")
    answer = Response(scan.content, content_type=scan.content_type)
    shown_how = "inline" if scan.content_type.startswith("image/") else "attachment"
    answer.headers["Content-Disposition"] = f'{shown_how}; filename="paper-{paper_id}.{scan.content_type.rpartition("/")[2]}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/admin/shops")
@permitted(OnboardingPermission.SHOP_READ)
def shops(actor: Actor) -> Any:
    """All shops, and those that are suspended."""
    which = address.choice("which", queries.WHICH, "open")
    rows, following = queries.shops(reading(), which, address.place())
    return page("shops", actor, "shops", rows=rows, next_cursor=following, which=which)


@bp.get("/admin/shops/<code>")
@permitted(OnboardingPermission.SHOP_READ)
def one_shop(actor: Actor, code: str) -> Any:
    """One shop: its licences, and when it was suspended."""
    return shop_page(actor, code)


def shop_page(actor: Actor, code: str, error: ShopError | None = None, deed: str = "") -> Any:
    found = queries.shop(reading(), code)
    shown = page(
        "shop", actor, "shops", one=found, licences=queries.licences(reading(), found.id),
        suspensions=queries.suspensions(reading(), found.id), trouble=told(error) if error else "",
        deed=deed, typed=sent.raw("reason", rules.LONGEST_REASON) if error else "",
    )  # fmt: skip
    return (shown, error.status) if error else shown


def with_reason(actor: Actor, code: str, deed: Callable[[str], None], question: str, yes: str, said: str) -> Any:
    """Do what needs a reason; without one the page asks for it beside its field."""
    queries.shop(reading(), code)
    try:
        reason = sent.text("reason", rules.LONGEST_REASON)
        if not reason:
            raise ReasonMissing()
    except ShopError as error:
        return shop_page(actor, code, error)
    if asking := ask_first(question, yes=yes, back=url_for("onboarding.one_shop", code=code)):
        return asking
    try:
        deed(reason)
        flash(said, "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("onboarding.one_shop", code=code), 303)


@bp.post("/admin/shops/<code>/licences")
@permitted(OnboardingPermission.LICENCE_WRITE)
def renew(actor: Actor, code: str) -> Any:
    """The new last day of a licence, by somebody who has seen the paper."""
    queries.shop(reading(), code)
    kind, until = sent.word("kind"), sent.raw("valid_until", 40)
    try:
        if kind not in set(PaperKind):
            raise PaperUnknown()
        last = gate.day(until) if until else None
        if until and last is None:
            raise NotADay("valid_until")
        perform(operations.renew, actor, code, PaperKind(kind), last)
        flash(_("Written down."), "success")
    except NotFound:
        raise
    except ShopError as error:
        return shop_page(actor, code, error, f"licence-{kind}")
    return redirect(url_for("onboarding.one_shop", code=code), 303)


@bp.post("/admin/shops/<code>/suspend")
@permitted(OnboardingPermission.SHOP_SUSPEND)
def suspend(actor: Actor, code: str) -> Any:
    """No new orders; what was ordered goes on."""
    name = name_of(queries.shop(reading(), code))
    return with_reason(
        actor, code, lambda reason: perform(operations.suspend, actor, code, reason),
        _("Suspend “%(name)s”? Nothing of it can be ordered any more; orders it has go on.", name=name), _("Suspend the shop"),
        _("Suspended. It takes no new orders."),
    )  # fmt: skip


@bp.post("/admin/shops/<code>/restore")
@permitted(OnboardingPermission.SHOP_SUSPEND)
def restore(actor: Actor, code: str) -> Any:
    """Sell again what was on sale."""
    name = name_of(queries.shop(reading(), code))
    return with_reason(
        actor, code, lambda reason: perform(operations.restore, actor, code, reason),
        _("Let “%(name)s” sell again? Its goods are as they were.", name=name), _("Let it sell again"), _("The shop sells again."),
    )  # fmt: skip
