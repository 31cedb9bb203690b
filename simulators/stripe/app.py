"""Puts the simulator together."""

from __future__ import annotations

import atexit
import json
import logging

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simulators.stripe import control, door, hosted
from simulators.stripe.background import Background
from simulators.stripe.errors import ApiError
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.settings import Settings
from simulators.stripe.world import World

EXTENSION = "stripe_simulator"


def create_app(settings: Settings | None = None) -> Flask:
    """A WSGI application with its threads running. `close(app)` ends them."""
    world = World(settings or Settings())
    app = Flask(__name__)
    app.extensions[EXTENSION] = world
    app.json.sort_keys = False  # type: ignore[attr-defined]
    door.register(app, world)
    hosted.register(app, world)
    control.register(app, world)
    app.register_error_handler(Exception, _broken)
    background = Background(world)
    world.courier.start()
    background.start()

    def stop() -> None:
        background.stop()
        world.courier.stop()
        with world.lock:
            world.store.close()

    app.extensions[EXTENSION + "_stop"] = stop
    atexit.register(stop)
    return app


def world_of(app: Flask) -> World:
    """The simulated account behind an app: its switches, its store, its log."""
    world = app.extensions[EXTENSION]
    if not isinstance(world, World):
        raise TypeError("not an app of create_app")
    return world


def close(app: Flask) -> None:
    """Stop the threads of an app and let go of its file. Harmless when repeated."""
    stop = app.extensions.pop(EXTENSION + "_stop", None)
    if stop is not None:
        atexit.unregister(stop)
        stop()


def _broken(problem: Exception) -> Response | HTTPException:
    if isinstance(problem, HTTPException):
        return problem
    logging.getLogger(__name__).error("a call broke", exc_info=problem)
    request_id = new_identifier("req")
    body = ApiError(500, "The simulator broke. Its output says why.", kind="api_error").body(request_id)
    response = Response(json.dumps(body, indent=2), status=500, content_type="application/json")
    response.headers["Request-Id"] = request_id
    return response
