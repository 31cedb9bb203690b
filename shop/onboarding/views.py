"""Applying to sell: one subject a page, kept at each step, handed in when everything is there."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.models.onboarding import ApplicantKind, Application, Food, PaperKind
from shop.onboarding import operations, queries, rules
from shop.onboarding.errors import KindUnknown, NotOpen
from shop.onboarding.forms import RegisterForm, ShopAboutForm
from shop.onboarding.rules import Subject
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, words
from shop.platform.sure import ask_first

bp = Blueprint("onboarding", __name__)

PAGES = {Subject.KIND: "kind", Subject.SHOP: "shop", Subject.REGISTER: "register", Subject.POINTS: "points", Subject.PAPERS: "papers"}


@bp.app_template_filter("applicant_kind")
def kind_words(kind: ApplicantKind) -> str:
    return words(rules.KIND_WORDS[kind][0])


@bp.app_template_filter("paper_kind")
def paper_words(kind: PaperKind) -> str:
    return words(rules.PAPER_WORDS[kind][0])


@bp.app_template_filter("food_kind")
def food_words(food: Food) -> str:
    return words(rules.FOOD_WORDS[food])


def open_application(actor: Actor) -> Application:
    """The person's application, to be changed. Raises `NotOpen`."""
    found = queries.my_open(reading(), actor)
    if found is None or found.state not in rules.WRITABLE:
        raise NotOpen()
    return found


def page(template: str, **values: Any) -> str:
    return render_template(f"onboarding/{template}.html", **values)


def step_page(subject: Subject, found: Application | None, **values: Any) -> str:
    """A page about one subject, with how far one is."""
    subjects = list(Subject)
    return page(
        PAGES[subject], application=found, labels=[words(rules.SUBJECT_WORDS[one]) for one in subjects],
        at=subjects.index(subject), **values,
    )  # fmt: skip


def back_to_overview(error: ShopError) -> Response:
    flash(told(error), "error")
    return redirect(url_for("onboarding.overview"), 303)


def onward(actor: Actor, subject: Subject) -> Response:
    """To the next subject of which something is missing, else to the overview."""
    found = queries.my_open(reading(), actor)
    subjects = list(Subject)
    missing = queries.missing(reading(), found) if found else ()
    following = next((one for one in subjects[subjects.index(subject) + 1 :] if one in missing), None)
    return redirect(url_for(f"onboarding.{PAGES[following]}" if following else "onboarding.overview"), 303)


def on_shop_page(merchant_id: int) -> str:
    """What the page of a shop says of its licences, and that it pauses."""
    return page("_on_shop_page", shown=queries.on_shop_page(reading(), merchant_id))


@bp.get("/join")
@signed_in
def overview(actor: Actor) -> Any:
    """How far one's application is, and what to do next."""
    return overview_page(actor)


def overview_page(actor: Actor, error: ShopError | None = None, typed: str = "") -> Any:
    found = queries.mine(reading(), actor)
    missing = queries.missing(reading(), found) if found else ()
    first = next((one for one in Subject if one in missing), None)
    shown = page(
        "overview", application=found, messages=queries.messages(reading(), found.id) if found else [],
        subjects=[
            (words(rules.SUBJECT_WORDS[one]), url_for(f"onboarding.{PAGES[one]}"), one not in missing, about(found, one) if found else "")
            for one in Subject
        ],
        next_url=url_for(f"onboarding.{PAGES[first]}") if first else "", is_writable=bool(found and found.state in rules.WRITABLE),
        trouble=told(error) if error else "", typed=typed, works_somewhere=bool(actor.workplaces()),
    )  # fmt: skip
    return (shown, error.status) if error else shown


def about(found: Application, subject: Subject) -> str:
    """What was said about a subject, in a line."""
    if subject is Subject.KIND:
        return kind_words(found.kind)
    if subject is Subject.SHOP:
        return name_of(found)
    if subject is Subject.REGISTER:
        return found.uscc or (_("Declared: own produce only") if found.declared_at else "")
    if subject is Subject.POINTS:
        known = directory(reading()).points_by_id
        return _(", ").join(name_of(known[point_id]) for point_id in found.point_ids if point_id in known)
    there = queries.kinds_there(reading(), found.id)
    needed = rules.needed_papers(found.kind, found.food)
    return _("%(there)s of %(needed)s", there=len([kind for kind in needed if kind in there]), needed=len(needed))


@bp.get("/join/kind")
@signed_in
def kind(actor: Actor) -> Any:
    """How one sells: it decides what is asked for."""
    return kind_page(actor)


def kind_page(actor: Actor, error: ShopError | None = None) -> Any:
    found = queries.my_open(reading(), actor)
    if found is not None and found.state not in rules.WRITABLE:
        return back_to_overview(NotOpen())
    before = found or queries.mine(reading(), actor)
    choices = [
        {"value": one.value, "title": words(title), "note": words(note), "icon": ICONS[one]}
        for one, (title, note) in rules.KIND_WORDS.items()
    ]  # fmt: skip
    shown = step_page(
        Subject.KIND, found, choices=choices, chosen=before.kind.value if before else "", trouble=told(error) if error else ""
    )  # fmt: skip
    return (shown, error.status) if error else shown


ICONS = {
    ApplicantKind.SHOP: "store", ApplicantKind.STALL: "grid", ApplicantKind.CO_OP: "group", ApplicantKind.WHOLESALER: "truck",
    ApplicantKind.SERVICE_PROVIDER: "wrench", ApplicantKind.FARMER: "leaf",
}  # fmt: skip


@bp.post("/join/kind")
@signed_in
def put_kind(actor: Actor) -> Any:
    chosen = sent.word("kind")
    if chosen not in set(ApplicantKind):
        return kind_page(actor, KindUnknown())
    try:
        perform(operations.choose_kind, actor, ApplicantKind(chosen))
    except NotOpen as error:
        return back_to_overview(error)
    return onward(actor, Subject.KIND)


@bp.get("/join/shop")
@signed_in
def shop(actor: Actor) -> Any:
    """What the shop is called and what it sells."""
    try:
        found = open_application(actor)
    except NotOpen as error:
        return back_to_overview(error)
    return shop_page(found, ShopAboutForm(obj=found))


def shop_page(found: Application, form: ShopAboutForm) -> str:
    foods = rules.foods_of(found.kind)
    said = str(form.food.data.value if isinstance(form.food.data, Food) else form.food.data or "")
    choices = [{"value": one.value, "title": food_words(one)} for one in foods]
    return step_page(Subject.SHOP, found, form=form, foods=choices, food=said or (foods[0].value if len(foods) == 1 else ""))


@bp.post("/join/shop")
@signed_in
def put_shop(actor: Actor) -> Any:
    form = ShopAboutForm()
    try:
        if form.validate():
            perform(operations.describe, actor, form.about())
            return onward(actor, Subject.SHOP)
    except NotOpen as error:
        return back_to_overview(error)
    except ShopError as error:
        form.show(error)
    return shown_again(actor, lambda found: shop_page(found, form))


def shown_again(actor: Actor, draw: Any) -> Any:
    """The page once more beside what is wrong."""
    try:
        return draw(open_application(actor)), 422
    except NotOpen as error:
        return back_to_overview(error)


@bp.get("/join/register")
@signed_in
def register(actor: Actor) -> Any:
    """Who answers for the shop, and what stands in the register."""
    try:
        found = open_application(actor)
    except NotOpen as error:
        return back_to_overview(error)
    return register_page(found, RegisterForm(obj=found, declares=found.declared_at is not None))


def register_page(found: Application, form: RegisterForm) -> str:
    return step_page(Subject.REGISTER, found, form=form, is_licensed=rules.is_licensed(found.kind))


@bp.post("/join/register")
@signed_in
def put_register(actor: Actor) -> Any:
    form = RegisterForm()
    try:
        if form.validate():
            said = (form.person.data, form.legal_name.data, form.uscc.data)
            perform(operations.register, actor, *said, declares=form.declares.data)
            return onward(actor, Subject.REGISTER)
    except NotOpen as error:
        return back_to_overview(error)
    except ShopError as error:
        form.show(error)
    return shown_again(actor, lambda found: register_page(found, form))


@bp.get("/join/points")
@signed_in
def points(actor: Actor) -> Any:
    """To which pick-up points the shop would deliver."""
    try:
        return points_page(open_application(actor))
    except NotOpen as error:
        return back_to_overview(error)


def points_page(found: Application, trouble: str = "") -> str:
    return step_page(Subject.POINTS, found, communities=directory(reading()).communities, trouble=trouble)


@bp.post("/join/points")
@signed_in
def put_points(actor: Actor) -> Any:
    try:
        perform(operations.choose_points, actor, sent.each("points", rules.MOST_POINTS))
    except NotOpen as error:
        return back_to_overview(error)
    except ShopError as error:
        trouble = told(error)
        return shown_again(actor, lambda found: points_page(found, trouble))
    return onward(actor, Subject.POINTS)


@bp.post("/join/submit")
@signed_in
def submit(actor: Actor) -> Any:
    """Hand it in."""
    try:
        perform(operations.submit, actor)
        flash(_("Your application is handed in. You hear from us by a message."), "success")
    except ShopError as error:
        return back_to_overview(error)
    return redirect(url_for("onboarding.overview"), 303)


@bp.post("/join/answer")
@signed_in
def answer(actor: Actor) -> Any:
    """Answer what an operator asked."""
    typed = sent.raw("text", rules.LONGEST_TEXT * 2)
    try:
        perform(operations.answer, actor, answered())
        flash(_("Your answer is sent. The application keeps its place."), "success")
    except ShopError as error:
        if error.field == "text":
            return overview_page(actor, error, typed)
        return back_to_overview(error)
    return redirect(url_for("onboarding.overview"), 303)


def answered() -> str:
    return sent.text("text", rules.LONGEST_TEXT)


@bp.post("/join/withdraw")
@signed_in
def withdraw(actor: Actor) -> Any:
    """Take the application back."""
    question = _("Take your application back? What you said stays for another try, the papers go after 30 days.")
    if asked := ask_first(question, yes=_("Take the application back"), back=url_for("onboarding.overview")):
        return asked
    try:
        perform(operations.withdraw, actor)
        flash(_("Your application is taken back."), "success")
    except ShopError as error:
        return back_to_overview(error)
    return redirect(url_for("onboarding.overview"), 303)
