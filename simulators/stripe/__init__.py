"""A small stand-in for Stripe's API, its hosted Checkout page and its webhooks.

Run it with ``python -m simulators.stripe`` and point the SDK at it by ``base_addresses={"api": ...}``; nothing else in
the shop changes between this program and Stripe itself. ``create_app`` serves tests that want it in-process.
"""

from __future__ import annotations

from simulators.stripe.app import close, create_app, world_of
from simulators.stripe.settings import Settings

__all__ = ["Settings", "close", "create_app", "world_of"]
