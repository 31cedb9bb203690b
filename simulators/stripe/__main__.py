"""`python -m simulators.stripe`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from simulators.serving import keep_private, serve
from simulators.stripe.app import close, create_app
from simulators.stripe.settings import Settings


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line; the webhook secret may also come from STRIPE_WEBHOOK_SECRET, to keep it out of process lists."""
    parser = argparse.ArgumentParser(prog="python -m simulators.stripe", description="A stand-in for Stripe's API.")
    parser.add_argument("--port", type=int, default=8101, help="port on 127.0.0.1; 0 takes a free one (default 8101)")
    parser.add_argument("--public-url", help="how customers reach the hosted page (default: the host they asked)")
    parser.add_argument("--webhook-url", help="where events are posted, e.g. http://127.0.0.1:8000/webhooks/stripe")
    parser.add_argument("--webhook-secret", action="append", default=[], help="whsec_...; give two while one is being replaced")
    parser.add_argument("--data", type=Path, help="SQLite file that keeps the state over a restart")
    parser.add_argument("--delay-ms", type=int, default=0, help="delay of every webhook")
    return parser.parse_args(given)


def main() -> None:
    """Serve until told to stop."""
    options = arguments()
    secrets = options.webhook_secret or [secret for secret in [os.environ.get("STRIPE_WEBHOOK_SECRET")] if secret]
    if options.webhook_url and not secrets:
        sys.exit("--webhook-url needs --webhook-secret (or STRIPE_WEBHOOK_SECRET)")
    keep_private(options.data)
    logging.basicConfig(level=logging.WARNING)
    app = create_app(
        Settings(
            public_url=options.public_url.rstrip("/") if options.public_url else None,
            webhook_url=options.webhook_url,
            webhook_secrets=tuple(secrets),
            data=options.data,
            delay_ms=options.delay_ms,
        )
    )
    serve(app, options.port, "Stripe", close)


if __name__ == "__main__":
    main()
