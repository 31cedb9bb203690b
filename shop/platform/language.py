"""Chinese first, English second: which language this reader gets, and how amounts, weights and days are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, force_locale
from markupsafe import Markup, escape

from shop.kernel import clock
from shop.kernel.money import Money
from shop.kernel.text import mask_person, mask_phone, spaced_phone
from shop.kernel.units import counter_of, per_unit, quantity_of
from shop.kernel.weight import GRAMS_PER_KILOGRAM
from shop.platform.actor import API_PREFIX, current_actor
from shop.platform.asked import address
from shop.platform.catalogues import TRANSLATIONS

LOCALES = ("zh", "en")
WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HAN = re.compile("[\u3400-\u9fff]")
COOKIE = "locale"
ADDRESS = "lang"
"""What names the language in the address of a page. Such an address says the same in one language to everybody."""
WITHOUT_LANGUAGE = frozenset({"public_file", "provider"})
"""Kinds of access of whatever is no page (shop/platform/access.py)."""

MOST_SENTENCES = 10_000

babel = Babel()


def language_of_address() -> str:
    """The language that the address of this page names, `?lang=en`; empty when it names none. Addresses of the API never do."""
    if not has_request_context():
        return ""
    mine = g._get_current_object()  # looked up once: each word said to the proxy costs half a dozen calls, and this is asked many times
    named: str | None = mine.get("language_of_address")
    if named is None:
        asks = address.has(ADDRESS) and not request.path.startswith(API_PREFIX)
        named = mine.language_of_address = address.choice(ADDRESS, LOCALES) if asks else ""
    return named


def reader_locale() -> str:
    """What the address names; else the reader's choice: account, cookie, then the browser's languages; Chinese when nothing is said."""
    mine = g._get_current_object()
    locale: str | None = mine.get("locale")
    if locale is None:
        if not has_request_context():
            return str(mine.get("job_locale", "zh"))
        locale = language_of_address() or current_actor().locale or request.cookies.get(COOKIE)
        if locale not in LOCALES and "HTTP_ACCEPT_LANGUAGE" not in request.environ:
            locale = LOCALES[0]
        elif locale not in LOCALES:
            locale = next((language for language, _ in request.accept_languages if language[:2] in LOCALES), "zh")[:2]
        mine.locale = locale
    return locale


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """In a job: speak this language inside the block, whoever asked for the job."""
    before = g.get("job_locale", "zh")
    g.job_locale = locale
    try:
        with force_locale(locale):
            yield
    finally:
        g.job_locale = before


def words(message: str, **facts: object) -> str:
    """Translate a sentence marked elsewhere and fill in its facts."""
    return str(gettext(message, **facts)) if facts else str(gettext(message)).replace("%%", "%")


def name_of(thing: object, field: str = "name") -> str:
    """The reader's name of a row or record that carries `name_zh` and `name_en` (or another field)."""
    return str(getattr(thing, f"{field}_{reader_locale()}"))


def yuan(amount: Money) -> str:
    """`¥12.80`, `−¥12.80`: the one sign for less that pages use, before the currency."""
    return f"\N{MINUS SIGN}¥{-amount}" if amount.fen < 0 else f"¥{amount}"


def money(amount: Money) -> str:
    """`12.80`, for places that draw the sign themselves."""
    return str(amount)


def grams(weight: int) -> str:
    """`850 g`, `1.25 kg`."""
    if weight < GRAMS_PER_KILOGRAM:
        return f"{weight} g"
    return f"{weight / GRAMS_PER_KILOGRAM:.3f}".rstrip("0").rstrip(".") + " kg"


def month_name(month: date) -> str:
    """2026年11月; Nov 2026."""
    return f"{month.year}年{month.month}月" if reader_locale() == "zh" else f"{MONTHS_EN[month.month - 1]} {month.year}"


def short_month(month: date) -> str:
    """11月; Nov."""
    return f"{month.month}月" if reader_locale() == "zh" else MONTHS_EN[month.month - 1]


def day(value: date | datetime) -> str:
    """今天, 明天, 6月8日(周日); Today, Tomorrow, Sun 8 Jun."""
    when = clock.local(value).date() if isinstance(value, datetime) else value
    ahead = (when - clock.today()).days
    chinese = reader_locale() == "zh"
    near = {0: ("今天", "Today"), 1: ("明天", "Tomorrow"), -1: ("昨天", "Yesterday")}.get(ahead)
    if near:
        return near[0] if chinese else near[1]
    if chinese:
        year = f"{when.year}年" if abs(ahead) > 300 else ""
        return f"{year}{when.month}月{when.day}日(周{WEEKDAYS_ZH[when.weekday()]})"
    year = f" {when.year}" if abs(ahead) > 300 else ""
    return f"{WEEKDAYS_EN[when.weekday()]} {when.day} {MONTHS_EN[when.month - 1]}{year}"


def moment(value: datetime) -> str:
    """今天 16:00; Today 16:00."""
    return f"{day(value)} {clock.local(value):%H:%M}"


def spoken_day(value: date | datetime) -> str:
    """The day inside a sentence: 明天; tomorrow, Sun 8 Jun."""
    words = day(value)
    return words.lower() if words in ("Today", "Tomorrow", "Yesterday") else words


def spoken_on(value: date | datetime) -> str:
    """The day something happens on: 明天, 6月8日(周日); tomorrow, on Sun 8 Jun."""
    words = spoken_day(value)
    return words if reader_locale() == "zh" or words.islower() else f"on {words}"


def dated_moment(value: datetime) -> str:
    """The moment by its date, whichever day it is read on: 6月8日(周日) 16:00; 16:00 on Sun 8 Jun. For what is written down once."""
    when = clock.local(value)
    if reader_locale() == "zh":
        return f"{when.month}月{when.day}日(周{WEEKDAYS_ZH[when.weekday()]}) {when:%H:%M}"
    return f"{when:%H:%M} on {WEEKDAYS_EN[when.weekday()]} {when.day} {MONTHS_EN[when.month - 1]}"


def spoken_moment(value: datetime) -> str:
    """The moment inside a sentence: 今天 16:00; today 16:00."""
    return f"{spoken_day(value)} {clock.local(value):%H:%M}"


def spoken_deadline(value: datetime) -> str:
    """Until when: 今天 22:00; 22:00 today, 22:00 on Sun 8 Jun."""
    if reader_locale() == "zh":
        return moment(value)
    words = spoken_day(value)
    return f"{clock.local(value):%H:%M} {words if words.islower() else f'on {words}'}"


def spoken_start(value: datetime) -> str:
    """From when on: 明天 16:00; tomorrow from 16:00."""
    if reader_locale() == "zh":
        return moment(value)
    return f"{spoken_day(value)} from {clock.local(value):%H:%M}"


def stamp(value: datetime) -> str:
    """2026-06-08 14:05, on the city's clock, for tables and receipts."""
    return f"{clock.local(value):%Y-%m-%d %H:%M}"


def duration(value: timedelta) -> str:
    """`2:05:09` or `14:59`, for clocks that count down."""
    seconds = max(0, int(value.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def group_code(code: str) -> str:
    """`482193` as `482 193`."""
    return " ".join(code[start : start + 3] for start in range(0, len(code), 3))


def in_their_language(text: object) -> object:
    """A text as it stands, and where an English page shows Chinese words marked as such: a voice must read them in Chinese."""
    if isinstance(text, Markup) or reader_locale() == "zh" or not HAN.search(str(text)):
        return text
    return Markup('<span lang="zh-CN">{}</span>').format(text)


def gettext(message: str, **facts: object) -> str:
    """A sentence in the reader's language."""
    translated = translation(reader_locale(), message)
    return translated % facts if facts else translated


def ngettext(singular: str, plural: str, number: int, **facts: object) -> str:
    """The same for a number of things; the number itself is the fact `num`."""
    return str(catalogue(reader_locale()).ungettext(singular, plural, number)) % {"num": number, **facts}


def _page_gettext(message: str) -> str:
    return translation(reader_locale(), message)


def _page_sentence(message: str, **facts: object) -> Markup:
    """`_` of the templates: a sentence with its facts escaped."""
    if facts:
        return marked(reader_locale(), message) % facts
    return plain_sentence(reader_locale(), message)


def _page_ngettext(singular: str, plural: str, number: int) -> str:
    return str(catalogue(reader_locale()).ungettext(singular, plural, number))


# A page says a hundred sentences, the shop a few thousand in all: each is looked up once in a process.


@lru_cache(MOST_SENTENCES)
def translation(locale: str, message: str) -> str:
    return str(catalogue(locale).ugettext(message))


@lru_cache(MOST_SENTENCES)
def marked(locale: str, message: str) -> Markup:
    return Markup(translation(locale, message))  # noqa: S704  (the catalogue is ours)


@lru_cache(MOST_SENTENCES)
def plain_sentence(locale: str, message: str) -> Markup:
    return Markup(translation(locale, message) % ())  # noqa: S704  (the catalogue is ours)


@cache
def catalogue(locale: str) -> NullTranslations:
    """The compiled catalogue of a language; English is what the code is written in."""
    return Translations.load(TRANSLATIONS, [locale])


def stays_in_its_language(endpoint: str, values: dict[str, Any]) -> None:
    """From a page whose address names a language, every link and form leads on in that language; the API and files know of none."""
    named = language_of_address()
    if not named or endpoint.startswith("api."):
        return
    view = current_app.view_functions.get(endpoint)
    if getattr(getattr(view, "access", None), "who", "public_file") not in WITHOUT_LANGUAGE:
        values.setdefault(ADDRESS, named)


def init_app(app: Flask) -> None:
    app.url_defaults(stays_in_its_language)
    babel.init_app(app, default_locale="zh", default_timezone="Asia/Shanghai", locale_selector=reader_locale)
    for known in (catalogue, translation, marked, plain_sentence):
        known.cache_clear()
    app.jinja_env.install_gettext_callables(_page_gettext, _page_ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals["_"] = _page_sentence
    app.jinja_env.globals["language_of_address"] = language_of_address
    app.jinja_env.filters.update(
        spoken_on=spoken_on, yuan=yuan, money=money, grams=grams, day=day, moment=moment, stamp=stamp,
        spoken_day=spoken_day, spoken_moment=spoken_moment, spoken_deadline=spoken_deadline, spoken_start=spoken_start,
        duration=duration, group_code=group_code, per_unit=per_unit, counter_of=counter_of,
        quantity_of=quantity_of, own=in_their_language,
        name=name_of, masked=mask_person, masked_phone=mask_phone, spaced_phone=spaced_phone,
        words=lambda text, **facts: escape(words(text, **facts)),
    )
