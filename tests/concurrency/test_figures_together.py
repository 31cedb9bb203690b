"""Two web processes and a worker of one machine count together, a restart loses nothing of it, and their lines are JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.callers import RESIDENT
from tests.support.cities import Template
from tests.support.running import House, running_house, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]

TOKEN = "tG7vK2mQ9xR4bN8wL3cF6hJ1pD5sZ0yA"
SETTINGS = {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json", "LOG_LEVEL": "info"}


@pytest.fixture(scope="module")
def watched(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(template, tmp_path_factory.mktemp("watched"), workers=2, **SETTINGS) as made:
        yield made


def figures(house: House) -> dict[tuple[str, str], float]:
    """Figures summed by their name and what they are of: the route, or the kind of job."""
    answer = requests.get(f"{house.address()}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
    assert answer.status_code == 200, answer.text
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            key = (sample.name, sample.labels.get("route") or sample.labels.get("kind") or "")
            found[key] = found.get(key, 0) + sample.value
    return found


def ask(house: House, times: int) -> None:
    """On a connection of its own each time, so that both processes answer."""
    for _ in range(times):
        assert requests.get(f"{house.address()}/about", timeout=20).status_code == 200


MOST_ASKED = 2_000
ABOUT = ("linli_request_seconds_count", "/about")


def lines_of(house: House, name: str) -> list[dict[str, Any]]:
    said = [line.removeprefix(f"{name}: ") for line in list(house.said) if line.startswith(f"{name}: ")]
    return [json.loads(line) for line in said if not line.startswith("---")]


def places_of(house: House) -> list[Path]:
    """Where processes have written figures."""
    return [path for path in (house.folder / "figures").glob("histogram_*.db") if path.read_bytes()[:4] != b"\x00" * 4]


def test_every_process_sees_what_all_of_them_counted(watched: House) -> None:
    asked = 0
    while len(places_of(watched)) < 3 and asked < MOST_ASKED:  # the system chooses who answers
        ask(watched, 40)
        asked += 40
    assert len(places_of(watched)) == 3, "two web processes and a worker, each in its place"
    for _ in range(6):  # whichever process answers
        assert figures(watched)[ABOUT] == asked


def test_jobs_of_the_worker_are_among_them(watched: House) -> None:
    before = len(watched.messages(RESIDENT))
    requests.post(f"{watched.address()}/api/v1/auth/codes", json={"phone": RESIDENT}, timeout=20)
    wait_until(lambda: len(watched.messages(RESIDENT)) > before, 20, "the code")
    wait_until(lambda: figures(watched).get(("linli_job_seconds_count", "accounts.send_code"), 0) >= 1, 10, "the job being counted")


def test_killed_and_started_again_they_go_on_counting(watched: House) -> None:
    before = figures(watched)
    files = sorted((watched.folder / "figures").iterdir())
    watched.restart("web")
    watched.restart("worker")
    ask(watched, 10)
    assert figures(watched)[ABOUT] == before[ABOUT] + 10
    assert sorted((watched.folder / "figures").iterdir()) == files, "nothing is left behind"


def test_lines_are_json_on_standard_output_and_hold_no_phone(watched: House) -> None:
    ask(watched, 1)
    requests.post(f"{watched.address()}/api/v1/auth/codes", json={"phone": "13955501234"}, timeout=20)
    wait_until(lambda: any(line.get("kind") == "accounts.send_code" for line in lines_of(watched, "worker")), 20, "the line of the job")
    web, worker = lines_of(watched, "web"), lines_of(watched, "worker")
    about = [line for line in web if line.get("route") == "/about"][-1]
    assert (about["method"], about["status"], about["level"]) == ("GET", 200, "info")
    assert {"time", "request", "ms", "statements", "database_ms", "bytes"} <= set(about)
    job = [line for line in worker if line.get("kind") == "accounts.send_code"][-1]
    assert (job["lane"], job["outcome"], job["try"]) == ("now", "done", 1)
    assert "13955501234" not in "\n".join(watched.said)


def test_the_door_is_shut_to_who_shows_no_token(watched: House) -> None:
    assert requests.get(f"{watched.address()}/metrics", timeout=20).status_code == 401
