"""A shop's figures: sales day by day, what sells and what does not, what went to waste, who comes again, when people order."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response

from shop.consoles.merchant import forms
from shop.consoles.merchant.downloads import as_file, file_kind
from shop.consoles.merchant.goods import months_back
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.imports import writing
from shop.kernel import clock, gate
from shop.kernel.db import reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money, divide_half_up
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.http import told
from shop.platform.language import WEEKDAYS_EN, WEEKDAYS_ZH, month_name, reader_locale, short_month, words, yuan
from shop.platform.language import day as day_words
from shop.platform.language import gettext as _
from shop.statistics import queries, rules, sheets
from shop.statistics.permissions import StatisticsPermission
from shop.statistics.queries import Figures
from shop.statistics.rules import Kind, Span

MOST_SHOWN = 10
LONGEST = 20


def span_asked() -> tuple[Span, str, dict[str, str]]:
    """The days the address means, which of the choices they are, and what is wrong with days that were typed, by field."""
    today = clock.today()
    typed = {name: address.text(name, LONGEST) for name in ("first", "last")}
    days = {name: gate.day(text) for name, text in typed.items()}
    wrong = {name: words(gate.NO_DAY, text=text) for name, text in typed.items() if text and days[name] is None}
    if not wrong:
        try:
            if found := rules.chosen(days["first"], days["last"], today):
                return found, "days", {}
        except ShopError as error:
            wrong[error.field or "first"] = told(error)
    month = forms.month_of(address.month(), today)
    if month:
        return rules.of_month(month, today), f"{month:%Y-%m}", wrong
    kind = Kind(address.choice("span", [kind.value for kind in Kind], rules.USUAL.value))
    return rules.span_of(kind, today), kind.value, wrong


@bp.get("/figures")
@permitted(StatisticsPermission.SHOP_READ)
def figures(actor: Actor) -> Any:
    """The figures of a span, which stands in the address. Days that cannot be used are 422, with what was typed and why not."""
    shop = shop_of(actor, StatisticsPermission.SHOP_READ)
    span, which, wrong = span_asked()
    found = queries.figures(reading(), shop.id, span)
    typed = {name: address.raw(name, LONGEST) for name in ("first", "last")}
    best = rules.best_sellers(found.goods, MOST_SHOWN)
    shown = page(
        "figures", actor, "figures", found=found, span=span, which=which, typed=typed, errors=wrong, kinds=kinds(),
        months=months_back(clock.today(), 13)[1:], points=points(found), weekdays=weekdays(found), hours=hours(found),
        best=best, slow=rules.slow_sellers([one for one in found.goods if one not in best], MOST_SHOWN), percent=percent,
        compared=compared, looked_through=queries.LOOKED_THROUGH, fewest=rules.FEWEST_BUYERS, kept=kept(span),
        is_by_month=span.days > rules.DAY_BY_DAY,
    )  # fmt: skip
    return (shown, 422) if wrong else shown


def kinds() -> list[tuple[str, str]]:
    return [
        (Kind.TODAY.value, _("Today")), (Kind.WEEK.value, _("7 days")), (Kind.THIRTY.value, _("30 days")),
        (Kind.MONTH.value, _("This month")), (Kind.YEAR.value, _("One year")),
    ]  # fmt: skip


def kept(span: Span) -> dict[str, str]:
    """The span as an address says it, for the files of it."""
    return {"first": span.first.isoformat(), "last": span.last.isoformat()}


def percent(thousandths: int | None) -> str:
    """`62.5%`; a dash for none."""
    if thousandths is None:
        return "–"
    whole, tenth = divmod(abs(thousandths), 10)
    return f"{'−' if thousandths < 0 else ''}{whole}.{tenth}%"


def compared(now: int, before: int) -> tuple[str, str]:
    """By how much it is more or less than before, as a card shows it, and which way it went; both empty with nothing to compare."""
    by = rules.change(now, before)
    if by is None:
        return "", ""
    return f"{'+' if by > 0 else ''}{percent(by)}", "up" if by > 0 else "down" if by < 0 else "flat"


def points(found: Figures) -> list[dict[str, Any]]:
    """Sales as a chart and the table under it show them: by day, and of a long span by month."""
    by: dict[date, list[Any]] = {}
    is_by_month = found.span.days > rules.DAY_BY_DAY
    for one in found.days:
        by.setdefault(one.day.replace(day=1) if is_by_month else one.day, []).append(one)
    totals = {first: queries.total(days) for first, days in by.items()}
    best = max((total.gross for total in totals.values()), default=Money(0))
    return [
        {
            "label": short_month(first) if is_by_month else f"{first.month}-{first.day}",
            "name": month_name(first) if is_by_month else day_words(first), "value": total.gross.fen, "text": yuan(total.gross),
            "short": f"¥{divide_half_up(total.gross.fen, 100):,}", "mark": bool(total.gross) and total.gross == best, "total": total,
        }
        for first, total in totals.items()
    ]  # fmt: skip


def weekdays(found: Figures) -> list[dict[str, Any]]:
    counts = rules.by_weekday(found.hours)
    names = [f"周{name}" for name in WEEKDAYS_ZH] if reader_locale() == "zh" else list(WEEKDAYS_EN)
    return counted(counts, names)


def hours(found: Figures) -> list[dict[str, Any]]:
    return counted(rules.by_hour(found.hours), [f"{hour}:00" for hour in range(24)])


def counted(counts: list[int], names: list[str]) -> list[dict[str, Any]]:
    best = rules.best(counts)
    return [
        {"label": name, "value": count, "text": str(count), "mark": place == best}
        for place, (count, name) in enumerate(zip(counts, names, strict=True))
    ]


@bp.get("/exports/figures")
@permitted(StatisticsPermission.SHOP_READ)
def export_figures(actor: Actor) -> Response:
    """The days of a span, or its goods, as a sheet."""
    shop = shop_of(actor, StatisticsPermission.SHOP_READ)
    span, _which, wrong = span_asked()
    if wrong:
        return Response(next(iter(wrong.values())), 422, content_type="text/plain; charset=utf-8")
    found = queries.figures(reading(), shop.id, span)
    what = address.choice("what", sheets.OF_FIGURES, "days")
    rows = sheets.OF_FIGURES[what](found, reader_locale())
    kind = file_kind()
    return as_file(kind, writing.written(kind, rows, what), f"{what}-{shop.code}-{span.first}-{span.last}")
