"""Help and the pages the law asks for: in both languages, for everybody, without anything of a person."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from shop.home import legal
from shop.platform.features import registry
from shop.platform.typed import READERS
from tests.support.factories import Factories
from tests.support.people import sign_in

PAGES = ("/help", "/returns", "/terms", "/privacy", "/about", "/licences")
HAN = re.compile(r"[\u4e00-\u9fff]")


def main_of(answer: object) -> str:
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    found = re.search(r'<main id="main".*?</main>', text, re.DOTALL)
    assert found
    return found[0]


@pytest.mark.parametrize("address", PAGES)
def test_page_is_there_for_strangers_in_both_languages(client: FlaskClient, address: str) -> None:
    english = main_of(client.get(address))
    client.set_cookie("locale", "zh")
    chinese = main_of(client.get(address))
    assert english.count("<h1") == chinese.count("<h1") == 1
    assert not HAN.search(english)
    assert HAN.search(chinese)


@pytest.mark.parametrize("address", ["/help", "/returns", "/terms", "/privacy", "/about"])
def test_no_sentence_was_left_untranslated(client: FlaskClient, address: str) -> None:
    client.set_cookie("locale", "zh")
    words = re.sub(r"<[^>]+>", "\n", main_of(client.get(address)))
    assert [line for line in words.splitlines() if re.search(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", line)] == []


def test_every_page_leads_to_them(client: FlaskClient) -> None:
    home = client.get("/help").get_data(as_text=True)
    foot = home[home.index('class="site-foot"') :]
    assert all(f'href="{address}"' in foot for address in PAGES)


def test_filings_are_marked_as_placeholders(client: FlaskClient) -> None:
    page = main_of(client.get("/about"))
    assert page.count("demo placeholder") == 5
    assert "beian" not in page


def test_custodian_is_named(client: FlaskClient) -> None:
    assert "Demo Licensed Payment Institution" in main_of(client.get("/terms"))


def test_licences_name_what_is_installed(client: FlaskClient) -> None:
    page = main_of(client.get("/licences"))
    works = {work.name: work for work in legal.works()}
    assert works["flask"].licence == "BSD-3-Clause"
    assert len(works) > 20
    assert all(work.name in page and work.version in page for work in works.values())
    assert "Bootstrap" in page


def test_help_of_somebody_with_a_point_names_its_telephone(make: Factories, client: FlaskClient) -> None:
    point = make.point()
    sign_in(client, make.user(point=point))
    page = main_of(client.get("/help"))
    assert "Ask at your pick-up point" in page
    assert f'href="tel:{point.phone}"' in page


def test_the_privacy_page_names_everything_people_write_and_who_reads_it(client: FlaskClient) -> None:
    client.set_cookie("locale", "en")
    page = html.unescape(main_of(client.get("/privacy")))
    texts = registry.typed().values()
    assert len(texts) > 5
    for text in texts:
        row = re.search(rf"<tr><th[^>]*>{re.escape(text.what)}</th>.*?</tr>", page)
        assert row, text.what
        assert text.by in row[0]
        assert all(READERS[reader] in row[0] for reader in (*text.readers, *text.partly))
        assert ("Nobody" in row[0]) == (not text.readers and not text.partly)
