"""`python -m simulators.sms`: the text messages of the demonstration on one local port."""

from __future__ import annotations

import argparse
from pathlib import Path

from simulators.serving import keep_private, serve
from simulators.sms.app import close, create_app


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulators.sms", description=__doc__)
    parser.add_argument("--port", type=int, default=8103, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="SQLite file of the messages; without it they go with the process")
    parser.add_argument("--key", default="demo-sms-key", help="what X-Sms-Key must say")
    wishes = parser.parse_args()
    keep_private(wishes.data)
    serve(create_app(wishes.data, key=wishes.key), wishes.port, "SMS", close)


if __name__ == "__main__":
    main()
