"""Journeys run against a whole house, some of them with a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import People
from tests.support.houses import house, pytest_runtest_makereport, template
from tests.support.running import House

__all__ = ["house", "pytest_runtest_makereport", "template"]


@pytest.fixture
def people(request: pytest.FixtureRequest, house: House, browser: Browser) -> Iterator[People]:
    """Who takes part in a journey. At its end nobody's page may have had an error, broken the policy or called elsewhere."""
    made = People(house, browser)
    try:
        yield made
        faults = made.faults()
        if faults or getattr(request.node, "has_failed", False):
            made.keep_pictures(request.node.name)
        assert faults == []
    finally:
        made.leave()
