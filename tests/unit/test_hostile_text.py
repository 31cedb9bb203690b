"""Ten thousand characters of anything cost every reader about as little as a word does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice
from random import Random

import pytest
from werkzeug.datastructures import MultiDict

from shop.accounts import authenticator
from shop.bills import rules as bills
from shop.catalog import matching, terms
from shop.catalog.forms import place_of
from shop.consoles.admin import filters
from shop.consoles.merchant import forms
from shop.consoles.merchant.views import number_of
from shop.fulfilment.queries import cycle_of_batch
from shop.kernel import clock, gate, identifiers, keys, quantities, text, units
from shop.kernel.errors import ShopError
from shop.pickup import codes
from shop.platform.api.core import decode_cursor
from shop.platform.asked import Asked

pytestmark = pytest.mark.one_engine

MANY = 10_000
LENGTHS = (60, 200, 2_000, 10_000)
RUNS = (
    "0", "9", ".", ",", "，", "。", "-", "—", " ", "\u3000", "\u200b", "\u202d", "一", "十", "百", "两", "斤", "0.", "0,", "1 ",
    "0一", "一.", "1斤", "a", "A1", "xu", "橙", "的", "我要", "¥", "元", "ǜ", "\u0308", "ﷺ", "㍿", "½", "①", "０", "٠", "\u20e3", "\ud800",
    "L1.", "V2", "+86", "86", "138", "#", "/", "()", "[]", "号楼", "0栋", "栋", "·", "=", "_", "%", "'", "\n", "\t", "e", "s",
    "ves", "\U0001f34a", "雞", "乾", "\u0301\u0323",
)  # fmt: skip
PLAIN = ("血橙", "xuecheng", "oranges", "13800000001", "482193", "12.80", "1.7斤", "L260608-7K3M9QXA-2", "5110000015", "番茄 两斤")

def asked(**said: str) -> Asked:
    return Asked(lambda: MultiDict(said))


READERS: dict[str, Callable[[str], object]] = {
    "search terms": terms.parse,
    "the thing alone": terms.plainly,
    "single characters": terms.loosely,
    "by sound": terms.sounding,
    "what a search looks up": lambda said: matching.places_of(terms.parse(said)),
    "text": lambda said: text.clean(said, 200),
    "a phone": identifiers.phone_number,
    "the end of a phone": identifiers.phone_tail,
    "figures": identifiers.figures,
    "a code": codes.understand,
    "an order's number": number_of,
    "goods": identifiers.code_or_words,
    "an account": lambda said: bills.account_number(said, r"^\d{10}$|^\d{13}$"),
    "a mobile account": lambda said: bills.account_number(said, r"^1[3-9]\d{9}$", is_mobile=True),
    "an address": lambda said: bills.mask_address(said[:200]),
    "a name": lambda said: text.mask_person(said[:200]),
    "an amount": quantities.yuan,
    "a count": quantities.whole_number,
    "a weight": quantities.grams,
    "a price": forms.price_of,
    "a packing form": lambda said: forms.weights_of({"grams-1": said, f"grams-{said}": "1"}),
    "a number": gate.number,
    "a day": gate.day,
    "a month": gate.month,
    "a word of ours": lambda said: gate.word(said, 80),
    "a place in the catalogue": lambda said: place_of(asked(after=said)),
    "a place in the API": lambda said: decode_cursor(said, int),
    "the audit trail": lambda said: filters.read(asked(actor_id=said, subject_id=said, since=said, until=said, action=said)),
    "a batch": cycle_of_batch,
    "an authenticator's code": lambda said: authenticator.matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", said, clock.now()),
    "a unit": lambda said: units.per_unit(said[:200]),
}


def hostile() -> list[str]:
    """Ten thousand long texts: runs of one thing, runs with one thing after them, and mixtures; the same at every run of the test."""
    chance = Random(1)
    made = []
    for number, (run, length) in enumerate(islice(((run, length) for run in cycle(RUNS) for length in LENGTHS[:3]), MANY)):
        body = (run * (length // len(run) + 1))[:length]
        mixed = "".join(chance.choice(RUNS) for _ in range(30))
        made.append((body, body + chance.choice(RUNS), mixed + body[:60], (mixed * 10)[:length])[number // (3 * len(RUNS)) % 4])
    return made + [(run * LENGTHS[3])[: LENGTHS[3]] for run in RUNS]


def seconds(read: Callable[[str], object], said: list[str]) -> float:
    """Time of this process's own work, so that a busy machine changes nothing."""
    began = time.process_time()
    for one in said:
        with suppress(ShopError, UnicodeEncodeError):
            read(one)
    return time.process_time() - began


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_secret", "for this test only")
    monkeypatch.setattr(filters, "words", lambda said, **facts: said % facts)


@pytest.mark.parametrize("reader", READERS)
def test_hostile_text_costs_no_reader_much_more_than_plain_text(reader: str) -> None:
    read = READERS[reader]
    texts = hostile()
    assert len(texts) > MANY
    seconds(read, list(PLAIN))  # what is loaded once is no cost of a text
    parts = [texts[start::20] for start in range(20)]
    plain = [said for said, _ in zip(cycle(PLAIN), parts[0], strict=False)]
    usual = max(statistics.median(seconds(read, plain) for _ in range(5)), len(plain) * 1e-6)
    costs = [seconds(read, part) for part in parts]
    assert statistics.median(costs) < 100 * usual
    assert max(costs) < 400 * usual, "not one part of them either"


def test_piles_of_marks_cost_no_more_than_letters() -> None:
    """Unicode wants the marks of one character in order, and to sort 30,000 of two kinds takes a second."""
    letters, marks = "\u00e9" * 30_000, "a" + "\u0301\u0323" * 15_000
    read = READERS["text"]
    usual = min(seconds(read, [letters]) for _ in range(3))
    assert seconds(read, [marks]) < 20 * usual
    with pytest.raises(text.UnreadableText):
        text.clean(marks, 100_000)


@pytest.mark.parametrize("said", ["Nguye\u0302\u0303n", "ก\u0e33\u0e49", "a" + "\u0323\u0301" * 15, "\u0f40\u0f72\u0f7c\u0f74"], ids=ascii)
def test_as_many_marks_as_any_script_has_are_kept(said: str) -> None:
    assert text.clean(said, 100)
