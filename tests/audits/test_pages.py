"""The pages that people use most, looked at in a browser: nothing for axe to find, nothing in the console, nothing too wide or cut off."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from script.support import audit
from script.support.browsing import Dress, chromium
from script.support.checks import find_browser
from script.support.city import City, running_city

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.one_engine]

AREAS = {"shop", "cart", "pickup", "account"}


@pytest.fixture
def city() -> Iterator[City]:
    if not find_browser(os.environ):
        pytest.skip("no Chromium")
    with running_city() as made:
        yield made


def test_nothing_is_found_on_the_pages_people_use_most(city: City) -> None:
    with chromium() as browser:
        findings, _ = audit.audit_all(browser, city, AREAS, [Dress("zh"), Dress("en", is_elder=True)])
    assert len(findings) > 30
    assert [(each.page, each.dress, each.faults) for each in findings if each.faults] == []
