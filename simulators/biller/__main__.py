"""`python -m simulators.biller`: every biller of the demonstration on one local port."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from simulators.biller.app import close, create_app
from simulators.biller.controls import PACES
from simulators.serving import keep_private, serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulators.biller", description=__doc__)
    parser.add_argument("--port", type=int, default=8102, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="SQLite file of the books; without it they go with the process")
    parser.add_argument("--key", default="demo-biller-key", help="what X-Biller-Key must say")
    parser.add_argument("--seed", type=int, help="which invented households (1)")
    parser.add_argument("--speed", choices=sorted(PACES), default="real", help="how long slow, hanging and late take")
    parser.add_argument("--today", type=date.fromisoformat, help="date on the calendar at the start, e.g. 2026-10-15")
    wishes = parser.parse_args()
    keep_private(wishes.data)
    serve(create_app(wishes.data, key=wishes.key, seed=wishes.seed, speed=wishes.speed, today=wishes.today), wishes.port, "biller", close)


if __name__ == "__main__":
    main()
