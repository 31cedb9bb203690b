"""The program on the command line: it comes up, is killed, and comes back with what it knew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import stripe

from simulators.stripe.harness import KEY, SECRET, Inbox, eventually, served

ROOT = Path(__file__).resolve().parents[2]
PAID: dict[str, Any] = {
    "amount": 5_000,
    "currency": "cny",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], stripe.StripeClient]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.stripe", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Stripe simulator ready on http://127.0.0.1:"), line
        address = line.split()[-1]
        yield process, stripe.StripeClient(KEY, base_addresses={"api": address}, max_network_retries=0)
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_killed_program_comes_back_with_its_state_and_undelivered_webhooks(tmp_path: Path) -> None:
    inbox = Inbox()
    data = ("--data", str(tmp_path / "stripe.sqlite"))
    with served(inbox.app()) as shop:
        hooks = ("--webhook-secret", SECRET, "--webhook-url", f"{shop}/webhooks/stripe")
        nowhere = ("--webhook-secret", SECRET, "--webhook-url", "http://127.0.0.1:9/webhooks/stripe")
        with started(*data, *nowhere) as (process, client):
            first = client.v1.payment_intents.create(PAID, {"idempotency_key": "k"})
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=10)
        assert inbox.received == []
        with started(*data, *hooks) as (process, client):
            again = client.v1.payment_intents.create(PAID, {"idempotency_key": "k"})
            assert again.id == first.id
            assert len(client.v1.charges.list().data) == 1
            assert client.v1.payment_intents.retrieve(first.id).status == "succeeded"
            refund = client.v1.refunds.create({"payment_intent": first.id})
            eventually(lambda: {"payment_intent.succeeded", "charge.refunded"} <= set(inbox.types()), timeout=20)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=15) == 0
        with started(*data) as (_, client):
            assert client.v1.refunds.retrieve(refund.id).amount == 5_000


def test_webhooks_without_a_secret_are_refused_at_start() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "STRIPE_WEBHOOK_SECRET"}
    done = subprocess.run(
        [sys.executable, "-m", "simulators.stripe", "--port", "0", "--webhook-url", "http://127.0.0.1:1/x"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "--webhook-secret" in done.stderr
