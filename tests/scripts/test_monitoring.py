"""What the dashboard, the alert rules and the page about them name is there: no panel stays empty because a figure is called otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from config import ROOT
from shop.consoles.admin import health, standing
from shop.consoles.admin.metrics import STANDING
from shop.kernel.db import reading
from shop.platform import figures

FOLDER = ROOT / "docs" / "operations" / "monitoring"
NAME = re.compile(r"\blinli_\w+")
SERIES = re.compile(r"\b(linli_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
BY = re.compile(r"\bby \(([^)]*)\)")
OWN = (figures.REQUESTS, figures.JOBS, figures.CALLS, figures.REFUSALS)


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Everything that asks for figures, with the place where it does."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]
    for rule in rules():
        yield f"alert {rule['alert']}", rule["expr"]


def known() -> dict[str, set[str]]:
    """Every series that `/metrics` may tell, with its labels."""
    found: dict[str, set[str]] = {}
    for figure in OWN:
        labels = set(figure._labelnames)
        if figure._type == "histogram":
            found |= {f"{figure._name}_count": labels, f"{figure._name}_sum": labels, f"{figure._name}_bucket": {*labels, "le"}}
        else:
            found[f"{figure._name}_total"] = labels
    for area in standing.AREAS:
        found |= {family.name: set(family._labelnames) for family in area(reading())}
    return {**found, "linli_standing_failed": {"area"}}


@pytest.mark.usefixtures("app")
def test_every_figure_that_is_asked_for_exists_with_its_labels() -> None:
    series = known()
    wrong = []
    for place, expression in expressions():
        for name, said in SERIES.findall(expression):
            labels = {label for label, _value in LABEL.findall(said)}
            if name not in series or not labels <= series[name]:
                wrong.append(f"{place}: {name}{sorted(labels)}")
        grouped = {label.strip() for found in BY.findall(expression) for label in found.split(",")}
        told = set().union(*(series.get(name, set()) for name in NAME.findall(expression)))
        wrong += [f"{place}: by {label}" for label in grouped - told]
    assert wrong == []


@pytest.mark.usefixtures("app")
def test_every_figure_stands_on_the_page_and_the_page_names_no_other() -> None:
    page = (FOLDER.parent / "monitoring.md").read_text(encoding="utf-8")
    families = {re.sub(r"_(count|sum|bucket)$", "", name) for name in known()}
    assert set(NAME.findall(page)) == families


def test_every_figure_is_looked_at_somewhere() -> None:
    asked = {re.sub(r"_(count|sum|bucket)$", "", name) for _place, expression in expressions() for name in NAME.findall(expression)}
    assert {figure._name + ("_total" if figure._type == "counter" else "") for figure in OWN} <= asked


def test_values_that_are_named_exist() -> None:
    lanes, signs = {"now", "soon", "bulk"}, {sign.key for sign in health.SIGNS}
    values = {"lane": lanes, "sign": signs, "outcome": {"failed", "answered"}, "state": {"due", "later", "running", "created", "succeeded"}}
    for place, expression in expressions():
        for label, value in LABEL.findall(expression):
            assert label not in values or value in values[label], f"{place}: {label}={value}"


def test_every_alert_says_what_happened_and_what_to_do_and_is_on_the_page() -> None:
    page = (FOLDER.parent / "monitoring.md").read_text(encoding="utf-8")
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]
        assert f"`{rule['alert']}`" in page, rule["alert"]
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_the_dashboard_lies_without_gaps_or_overlaps() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_labels_hold_nothing_from_outside(client: FlaskClient) -> None:
    """However odd the requests, the labels are routes, methods and statuses of ours."""
    for path in ("/nowhere/13812345678", "/products/13812345678?x=13812345678", "/%00", "/api/v1/orders/13812345678"):
        for method in ("GET", "POST", "BREW", "X" * 40):
            client.open(path, method=method)
    STANDING.forget()
    text = client.get("/metrics").text
    assert "13812345678" not in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    rules_of_ours = {rule.rule for rule in client.application.url_map.iter_rules()}
    requests = [sample.labels for sample in samples if sample.name == "linli_request_seconds_count"]
    odd = {labels["route"] for labels in requests} - {*rules_of_ours, "none"}
    assert {route for route in odd if not route.startswith("/careless")} == set()  # pages of another test's own app, in this process
    assert {labels["method"] for labels in requests} <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
