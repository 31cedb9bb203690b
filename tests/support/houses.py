"""Fixtures of running houses. A `conftest.py` that wants them imports them by name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.cities import Template, template_of_the_run
from tests.support.running import House, running_house


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest, engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """The demo city on this run's engine, made once a run; with its pictures when somebody will look at them."""
    server = ""
    if engine_name == "postgresql":
        server = os.environ.get("TEST_POSTGRES_URL", "")
        if not server:
            pytest.fail("PostgreSQL tests need TEST_POSTGRES_URL; script/test starts a server and sets it")
    pictures = any(item.get_closest_marker("browser") for item in request.session.items)
    with template_of_the_run(tmp_path_factory.mktemp("template"), server, pictures) as made:
        yield made


@pytest.fixture(scope="module")
def house(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house for the tests of one module."""
    with running_house(template, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes of a house said when a test failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    made = getattr(item, "funcargs", {}).get("house")
    if report.when == "call":
        item.has_failed = report.failed  # type: ignore[attr-defined]  # fixtures ask for it when they end
    if report.when == "call" and report.failed and isinstance(made, House):
        report.sections.append(("what the house said", made.last_words()))
