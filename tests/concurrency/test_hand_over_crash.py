"""A process dies in the middle of a hand-over: nothing is lost, and the event sent again is accepted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from flask import Flask

from shop.counter import operations as desk
from shop.kernel.db import perform
from shop.models.orders import SubOrderState
from shop.models.pickup import Handover
from tests.support.counter import Counter, state_of, things_gone
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.shopping import count

ROOT = Path(__file__).resolve().parent.parent.parent

DYING = """
import sys
from datetime import UTC, datetime
from shop import create_app
from shop.counter import operations as desk
from shop.kernel.db import perform
from shop.platform.actor import Actor, Grant
from tests.conftest import make_config

url, keeper, point, code = sys.argv[1:]
with create_app(make_config(url)).app_context():
    actor = Actor("user", user_id=int(keeper), grants=(Grant("keeper", pickup_point_id=int(point)),))
    perform(desk.hand_over, actor, desk.HandoverEvent("before-the-crash", code, None, datetime.now(UTC)))
"""


def test_killed_before_the_commit_nothing_happened_and_the_repeat_is_accepted_once(app: Flask, make: Factories) -> None:
    counter = Counter(make)
    counter.goods("rice", price=2_000)
    (part,) = counter.packed(buyer := counter.buyer(), {"rice": 1})
    counter.receive([part])
    code = counter.pass_of(buyer).code
    arguments = [app.config["DATABASE_URL"], str(counter.keeper.user_id), str(counter.point.id), code]
    environment = {**os.environ, "CRASH_AT": "handover.before_commit", "APP_ENV": "test"}
    died = subprocess.run([sys.executable, "-c", DYING, *arguments], env=environment, cwd=ROOT, capture_output=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert state_of(part) is SubOrderState.READY
    assert (count(Handover), things_gone(), balance(f"merchant:{counter.merchants[0].id}")) == (0, 0, 0)
    event = counter.event(code, client_id="before-the-crash")
    assert [perform(desk.hand_over, counter.keeper, event).outcome for _ in range(2)] == ["accepted", "duplicate"]
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940
