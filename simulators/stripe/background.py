"""Things that happen by themselves: sessions run out, refunds and payments of the slow kind are decided."""

from __future__ import annotations

import threading
from collections.abc import Callable

from simulators.stripe.resources import charges, payments, refunds, sessions
from simulators.stripe.store import Unit
from simulators.stripe.world import World

INTERVAL = 0.05


def _expire(unit: Unit, world: World, target: str) -> None:
    sessions.run_out(unit, target)


def _settle_refund(unit: Unit, world: World, target: str) -> None:
    refunds.settle(unit, target, world.switches.refund_outcome)


def _settle_payment(unit: Unit, world: World, target: str) -> None:
    payments.settle(unit, target, world.switches.payment_outcome)


def _book_charge(unit: Unit, world: World, target: str) -> None:
    charges.book_later(unit, target)


ACTIONS: dict[str, Callable[[Unit, World, str], None]] = {
    "expire_session": _expire,
    "settle_refund": _settle_refund,
    "settle_payment": _settle_payment,
    "book_charge": _book_charge,
}


def run_due(world: World) -> int:
    """Do every planned action whose time has come, each in its own unit. Returns how many."""
    done = 0
    now = world.moment()
    for task in list(world.store.entries.get("_task", {}).values()):
        if task["due"] > now:
            continue
        with world.unit() as unit:
            if unit.get("_task", task["id"]) is not None:
                unit.remove("_task", task["id"])
                ACTIONS[task["action"]](unit, world, task["target"])
                done += 1
    return done


class Background:
    """The thread that calls `run_due`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="background", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the action under way."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._stop.wait(INTERVAL):
            run_due(self._world)
