"""The papers of an application: handed in one by one, by photo or as a PDF file."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.kernel import gate
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.onboarding import Application, PaperKind
from shop.onboarding import operations, queries, rules, scans
from shop.onboarding.errors import NotOpen, PaperUnknown
from shop.onboarding.rules import Subject
from shop.onboarding.views import back_to_overview, bp, open_application, step_page
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import sent, uploaded
from shop.platform.bodies import takes
from shop.platform.forms import NotADay
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import words
from shop.platform.sure import ask_first

BESIDE_THE_FILE = 16 * 1024


@bp.get("/join/papers")
@signed_in
def papers(actor: Actor) -> Any:
    """Which papers are needed, and those that are there."""
    try:
        return papers_page(open_application(actor))
    except NotOpen as error:
        return back_to_overview(error)


def papers_page(found: Application, error: ShopError | None = None, paper: str = "", typed: str = "") -> Any:
    there = queries.papers(reading(), found.id)
    needed = rules.needed_papers(found.kind, found.food)
    asked = {message.paper for message in queries.messages(reading(), found.id) if message.paper is not None}
    more = [kind for kind in PaperKind if kind in asked and kind not in needed and kind is not PaperKind.OTHER]
    listed = [
        (kind, *map(words, rules.PAPER_WORDS[kind]), [one for one in there if one.kind is kind], kind in needed)
        for kind in (*needed, *more, PaperKind.OTHER)
    ]  # fmt: skip
    extra = [one for one in there if one.kind not in {row[0] for row in listed}]
    shown = step_page(
        Subject.PAPERS, found, listed=listed, extra=extra, ends=rules.ENDS, trouble=told(error) if error else "",
        field=(error.field or "file") if error else "", paper=paper, typed=typed,
        is_done=not rules.missing_papers(found.kind, found.food, {one.kind for one in there}),
    )  # fmt: skip
    return (shown, error.status) if error else shown


@bp.post("/join/papers")
@takes(most_bytes=scans.MOST_UPLOADED + BESIDE_THE_FILE)
@signed_in
def put_paper(actor: Actor) -> Any:
    """Keep a paper; the page comes back with what is still needed."""
    kind, until = sent.word("paper"), sent.raw("valid_until", 40)
    try:
        if kind not in set(PaperKind):
            raise PaperUnknown()
        last = gate.day(until) if until else None
        if until and last is None:
            raise NotADay("valid_until")
        scan = scans.read(uploaded("file", scans.MOST_UPLOADED)[1])
        perform(operations.add_paper, actor, PaperKind(kind), scan, last)
        flash(_("Kept, sealed."), "success")
    except NotOpen as error:
        return back_to_overview(error)
    except ShopError as error:
        try:
            return papers_page(open_application(actor), error, kind, until)
        except NotOpen as closed:
            return back_to_overview(closed)
    return redirect(url_for("onboarding.papers") + f"#paper-{kind}", 303)


@bp.post("/join/papers/<id:paper_id>/remove")
@signed_in
def take_paper_away(actor: Actor, paper_id: int) -> Any:
    """Take a paper out; it is gone at once."""
    if asked := ask_first(_("Take this paper away? It is gone at once."), yes=_("Remove it"), back=url_for("onboarding.papers")):
        return asked
    try:
        perform(operations.take_away, actor, paper_id)
        flash(_("The paper is gone."), "success")
    except NotFound:
        raise
    except ShopError as error:
        return back_to_overview(error)
    return redirect(url_for("onboarding.papers"), 303)
