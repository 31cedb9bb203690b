"""Sheets of goods: bring one, look at what each row would do, decide, see what became of it; and take one's goods along."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, flash, redirect, url_for

from shop.catalog.permissions import CatalogPermission
from shop.consoles.merchant.downloads import as_file, file_kind
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.imports import cells, exporting, operations, queries, writing
from shop.imports.cells import Reading
from shop.imports.columns import BY_KEY
from shop.imports.errors import WrongRows
from shop.imports.layouts import NAMES
from shop.imports.operations.deciding import MOST_AT_ONCE
from shop.imports.permissions import ImportPermission
from shop.imports.saying import SENTENCES, Wrong
from shop.imports.sheets import MOST_BYTES, MOST_ROWS
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError, sentence
from shop.kernel.money import Money
from shop.models.imports import Choice, ImportKind, ImportRow, ImportState, ProductImport
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent, uploaded
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import grams, ngettext, reader_locale, words, yuan
from shop.platform.sure import ask_first

BESIDE_THE_FILE = 16 * 1024
MOST_TICKED = 200
USUAL = ("category", "origin_zh", "storage", "shelf_life")
"""What may be said once beside the file, for new goods that do not say it."""


@bp.get("/imports")
@permitted(ImportPermission.SHEET_READ)
def imports(actor: Actor) -> Any:
    """What was brought lately, and the form to bring a sheet."""
    return imports_page(actor, {}, "")


def imports_page(actor: Actor, typed: Mapping[str, str], trouble: str, field: str = "file") -> str:
    shop = shop_of(actor, ImportPermission.SHEET_READ)
    rows, following = queries.list_imports(reading(), [shop.id], address.place())
    may_list = shop.id in actor.merchants(CatalogPermission.GOODS_WRITE)
    return page(
        "imports", actor, "imports", imports=rows, next_cursor=following, typed=typed, trouble=trouble, trouble_field=field,
        once=ids.secret(), may_list=may_list, categories=queries.category_names(reading(), reader_locale()),
        state_words=state_words, kind_words=kind_words,
        columns=[(heads(column.key), words(column.help), column.is_needed) for column in exporting.columns_of(ImportKind.GOODS)],
        figures=[(heads(column.key), words(column.help), column.is_needed) for column in exporting.columns_of(ImportKind.FIGURES)],
        most_rows=f"{MOST_ROWS:,}",
    )  # fmt: skip


def heads(key: str) -> str:
    column = BY_KEY[key]
    return column.zh if reader_locale() == "zh" else column.en


@bp.post("/imports")
@takes(most_bytes=MOST_BYTES + BESIDE_THE_FILE)
@permitted(ImportPermission.SHEET_WRITE)
def bring_sheet(actor: Actor) -> Any:
    """Keep the file and have it read; the page's own number makes it happen once."""
    shop = shop_of(actor, ImportPermission.SHEET_WRITE)
    kind = ImportKind.GOODS if sent.word("kind") == ImportKind.GOODS else ImportKind.FIGURES
    file_name, content = uploaded("file", MOST_BYTES)
    typed = {name: sent.word(name) for name in ("kind", "decimal", "currency", *USUAL)}
    try:
        usual = {
            "currency": "CNY" if sent.is_on("currency") else "", "decimal": sent.choice("decimal", ("comma", "point")),
            "goods": usual_of(typed) if kind is ImportKind.GOODS else {},
        }  # fmt: skip
        ref = perform(operations.bring, actor, shop.id, kind, file_name, content, usual, sent.word("once") or ids.secret())
    except NotFound:
        raise
    except ShopError as error:
        return imports_page(actor, typed, told(error), error.field or "file"), error.status
    return redirect(url_for("merchant.sheet", ref=ref), 303)


def usual_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """What was said beside the file, read as its cells are. Raises `Unusual`."""
    categories, named = queries.categories(reading())
    found: dict[str, Any] = {}
    for key in USUAL:
        if typed[key]:
            try:
                found[key] = cells.READERS[key](typed[key], Reading(False, categories, named))
            except Wrong as wrong:
                raise Unusual(key, reason=words(SENTENCES[wrong.code], **wrong.facts)) from None
    return found


class Unusual(ShopError):
    code, status = "import_usual_wrong", 422
    message = sentence("What stands beside the file cannot be used: %(reason)s")


@bp.get("/imports/<ref>")
@permitted(ImportPermission.SHEET_READ)
def sheet(actor: Actor, ref: str) -> Any:
    """One import: how far it is, each row in plain words, and the decision."""
    return sheet_page(actor, ref)


def sheet_page(actor: Actor, ref: str, trouble: str = "") -> str:
    found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_READ), ref)
    which = address.choice("rows", [name for name in queries.WHICH if name != "repair"])
    counts = queries.counts(reading(), found.id)
    is_read = found.state not in (ImportState.READING, ImportState.REFUSED)
    size = address.size(queries.SIZES)
    rows, following = queries.list_rows(reading(), found.id, which, address.place(), size) if is_read else ([], None)
    names = queries.category_names(reading(), reader_locale())
    return page(
        "import", actor, "imports", found=found, counts=counts, rows=rows, next_cursor=following, which=which, size=size,
        sizes=queries.SIZES, trouble=trouble, refusal=refusal_of(found), said=said_of, head=partial(head_of, found),
        shown=partial(shown, names), state_words=state_words, kind_words=kind_words, shop_of_layout=NAMES.get(found.layout, ""),
        most_at_once=MOST_AT_ONCE, may_decide=may_decide(actor, found), unknown=found.headers.get("?", []),
    )  # fmt: skip


def may_decide(actor: Actor, found: ProductImport) -> bool:
    """Whether this person decides about it: who lists goods, or for figures who counts; where prices change, who decides those."""
    needed = [ImportPermission.SHEET_WRITE, *([CatalogPermission.GOODS_WRITE] if found.kind is ImportKind.GOODS else [])]
    needed += [CatalogPermission.PRICE_WRITE] if found.has_prices else []
    return all(found.merchant_id in actor.merchants(permission) for permission in needed)


def refusal_of(found: ProductImport) -> str:
    if not found.refusal:
        return ""
    said, facts = found.refusal["message"], found.refusal["facts"]
    return words(said, **facts)


def said_of(saying: Mapping[str, Any]) -> str:
    """A sentence about a row in the reader's language."""
    told_so, facts = SENTENCES[saying["code"]], saying["facts"]
    return words(told_so, **facts)


def head_of(found: ProductImport, key: str) -> str:
    """A column as the file calls it."""
    return str(found.headers.get(key) or heads(key))


def shown(categories: Mapping[int, str], key: str, value: Any) -> str:
    """A value of a column as it is read on a page."""
    if value in (None, ""):
        return _("nothing")
    if key == "price":
        return yuan(Money(value))
    if key == "grams":
        return grams(value)
    return str(exporting.written(key, value, categories, reader_locale()))


def state_words(state: ImportState) -> str:
    return {
        ImportState.READING: _("Being read"), ImportState.CHECKED: _("Waits for you"), ImportState.APPLYING: _("Being applied"),
        ImportState.DONE: _("Done"), ImportState.REFUSED: _("Could not be read"), ImportState.DROPPED: _("Dropped"),
    }[state]  # fmt: skip


def kind_words(kind: ImportKind) -> str:
    return {ImportKind.GOODS: _("Goods"), ImportKind.FIGURES: _("Prices and stock")}[kind]


@bp.post("/imports/<ref>/sure")
@permitted(ImportPermission.SHEET_WRITE)
def say_sure(actor: Actor, ref: str) -> Any:
    """The ticked rows of the page are right, those without a tick are not; or all are."""
    everything = sent.word("all") == "1"
    shown_rows, ticked = sent.numbers("shown", MOST_TICKED), sent.numbers("sure_row", MOST_TICKED)
    if everything:
        found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_WRITE), ref)
        asked = queries.counts(reading(), found.id).asked
        question = ngettext("Is the row that is asked about right?", "Are all %(num)s rows that are asked about right?", asked)
        if again := ask_first(question, yes=_("Yes, all of them"), no=_("No, let me look again")):
            return again
    try:
        if everything:
            perform(operations.say_sure, actor, ref, None)
        else:
            perform(operations.say_sure, actor, ref, ticked)
            perform(operations.say_sure, actor, ref, [number for number in shown_rows if number not in ticked], is_sure=False)
        flash(_("Saved."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.sheet", ref=ref, rows="asked"), 303)


@bp.post("/imports/<ref>/decide")
@permitted(ImportPermission.SHEET_WRITE)
def decide_sheet(actor: Actor, ref: str) -> Any:
    """Apply it: all or nothing, or the good rows."""
    found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_WRITE), ref)
    choice = Choice.ALL if sent.word("choice") == Choice.ALL else Choice.GOOD
    counts = queries.counts(reading(), found.id)
    if found.state is ImportState.CHECKED and counts.to_apply and not (choice is Choice.ALL and counts.wrong + counts.asked):
        question = ngettext("Apply %(num)s row?", "Apply %(num)s rows?", counts.to_apply)
        if again := ask_first(question, yes=_("Apply"), is_grave=False):
            return again
    try:
        perform(operations.decide, actor, ref, choice)
    except NotFound:
        raise
    except ShopError as error:
        if isinstance(error, WrongRows):
            return sheet_page(actor, ref, told(error)), error.status
        flash(told(error), "error")
    return redirect(url_for("merchant.sheet", ref=ref), 303)


@bp.post("/imports/<ref>/drop")
@permitted(ImportPermission.SHEET_WRITE)
def drop_sheet(actor: Actor, ref: str) -> Any:
    """Nothing of it is applied."""
    queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_WRITE), ref)
    if asked := ask_first(_("Drop this import? Nothing of it is applied."), yes=_("Drop it"), is_grave=False):
        return asked
    try:
        perform(operations.drop, actor, ref)
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.sheet", ref=ref), 303)


@bp.get("/imports/<ref>/repair")
@permitted(ImportPermission.SHEET_READ)
def repair_list(actor: Actor, ref: str) -> Response:
    """The rows that were not good, with what to write instead, to be repaired and brought again."""
    found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_READ), ref)
    rows = queries.list_rows(reading(), found.id, "repair", limit=MOST_ROWS)[0]
    told_rows = {row.number: " ".join(sentence_of(found, row, saying) for saying in row.wrongs) for row in rows}
    kind = file_kind()
    return as_file(kind, writing.written(kind, exporting.to_repair(found, rows, told_rows, reader_locale()), "repair"), f"repair-{ref}")


def sentence_of(found: ProductImport, _row: ImportRow, saying: Mapping[str, Any]) -> str:
    return f"{head_of(found, saying['column'])}: {said_of(saying)}" if saying["column"] else said_of(saying)


@bp.get("/exports/template")
@permitted(ImportPermission.SHEET_READ)
def template(actor: Actor) -> Response:
    """Our columns with an example."""
    shop_of(actor, ImportPermission.SHEET_READ)
    kind = ImportKind.FIGURES if address.word("kind") == ImportKind.FIGURES else ImportKind.GOODS
    suffix = file_kind()
    return as_file(suffix, writing.written(suffix, exporting.template(kind, reader_locale()), "template"), f"template-{kind.value}")
