"""`python -m tests.support.seeding [--pictures]`: a small demo city, made in seconds; its pictures take half a minute more."""

from __future__ import annotations

import sys

from demo.command import Plan, fill
from shop import create_app


def main() -> None:
    """Fill the database that the environment names."""
    app = create_app()
    with app.app_context():
        plan = Plan(neighbours=2, days=3, has_pictures="--pictures" in sys.argv)
        fill(plan, app.extensions["storage"], lambda _steps: None)


if __name__ == "__main__":
    main()
