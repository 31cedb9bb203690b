"""No regular expression costs more than its text is long. The check is shown to catch those that do, and to let the others be."""

from __future__ import annotations

import ast
import csv

import pytest

from tests.architecture import patterns
from tests.architecture.syntax import ROOT, Module, name_of, parsed, shop_modules

pytestmark = pytest.mark.one_engine

COSTLY = (
    r"(?:[0-9]+(?:\.[0-9]+)?|[一二两])+斤", r"(a+)+b", r"(aa|a)*b", r"(?:[0-9]+|[0-9]{4})+x", r"(\w+\s?)*x", r"(x+x+)+y", r"(?:a*)*",
    r"(?:[0-9]{1,3},?)*x", r".*?[0-9A-Z]+栋", r"\d+\d+x", r"([a-z0-9]+-)*[a-z0-9]+!", r"(.*),(.*),(.*)x", r"\s*/?\s*x",
)  # fmt: skip

PLAIN = (
    r"[0-9]++斤", r"[a-z]+-[a-z]+", r"\s*\d+\s*", r"¥?[0-9]+(?:,[0-9]+)*", r"(?P<inside>.+)/(?P<counter>[^/]+)", r"(?:,[0-9]{3})*",
    r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$", r"(\([^)]*\)|[a-z])*", r"\b(?:i|want|kilos?)\b", r"/\*.*?\*/", r"(a|ab)*c", r"[0-9]{1,3}[0-9]{3}",
)  # fmt: skip


@pytest.mark.parametrize("pattern", COSTLY)
def test_a_costly_pattern_is_caught(pattern: str) -> None:
    assert patterns.trouble_of(pattern)


@pytest.mark.parametrize("pattern", PLAIN)
def test_a_plain_pattern_is_let_be(pattern: str) -> None:
    assert patterns.trouble_of(pattern) == ""


def simulator_modules() -> list[Module]:
    return [
        Module(name_of(place), str(place.relative_to(ROOT)), ast.parse(place.read_text(encoding="utf-8")))
        for place in sorted((ROOT / "simulators").rglob("*.py"))
        if place.stem != "__main__"
    ]


def test_every_pattern_of_the_shop_costs_as_much_as_its_text_is_long() -> None:
    assert [sentence for module in shop_modules() for sentence in patterns.costly_patterns(module)] == []
    assert sum(1 for module in shop_modules() for _ in patterns.patterns_of(module)) > 40, "they are found at all"


def test_every_pattern_of_the_simulators_does() -> None:
    elsewhere = {"row['account_pattern']"}
    for module in simulator_modules():
        for call, pattern in patterns.patterns_of(module):
            assert pattern is not None or ast.unparse(call.args[0]) in elsewhere, ast.unparse(call)
            assert not pattern or patterns.trouble_of(pattern) == "", ast.unparse(call)


def test_every_pattern_of_the_scripts_does() -> None:
    found = {
        pattern: patterns.trouble_of(pattern)
        for place in sorted((ROOT / "shop/static/js").glob("*.js"))
        for pattern in patterns.patterns_in_script(place.read_text(encoding="utf-8"))
    }
    assert len(found) > 5
    assert {pattern: trouble for pattern, trouble in found.items() if trouble} == {}
    assert patterns.patterns_in_script("const slow = /(a+)+b/.exec(text);") == ["(a+)+b"]


def test_every_pattern_of_the_billers_does() -> None:
    with (ROOT / "demo/data/billers.csv").open(encoding="utf-8") as file:
        found = [row["account_pattern"] for row in csv.DictReader(file)]
    assert found
    assert [pattern for pattern in found if patterns.trouble_of(pattern)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile(r'(a+)+b')\n", "re.sub(r'(a+)+b', '', text)\n", "field = Regexp(r'(a+)+b')\n", "Field(pattern=r'(a+)+b')\n",
        "re.search(rf'(?:{WORD}+)+b', text)\n", "re.match(pattern, text)\n",
    ],
)  # fmt: skip
def test_a_costly_or_hidden_pattern_in_a_source_is_caught(source: str) -> None:
    assert len(list(patterns.costly_patterns(parsed(source)))) == 1
