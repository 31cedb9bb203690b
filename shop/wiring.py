"""What the app is made of: extensions, blueprints, jobs, commands. Read this first."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask
from flask_migrate import Migrate

import shop.models
import shop.platform.jobs  # noqa: F401  (registers work)
from shop.api.v1 import core as api
from shop.cli import jobs as jobs_commands
from shop.cli import translate as translate_commands
from shop.kernel import clock, db
from shop.platform import access, catalogues, health, http, language
from shop.platform.actor import login_manager
from shop.platform.sms import HttpSmsGateway

BLUEPRINTS = [
    health.bp,
    api.bp,
]

DEVELOPMENT_BLUEPRINTS: list[Blueprint] = []

COMMANDS = [
    jobs_commands.group,
    translate_commands.group,
]

migrations = Migrate(compare_type=False, render_as_batch=True)


def connect(app: Flask) -> None:
    """Connect everything to the app. A route without declared access stops the start."""
    clock.share_shift(None if app.config["APP_ENV"] == "production" or app.config["TESTING"] else shift_file(app))
    db.init_app(app)
    migrations.init_app(app, db.database, directory=str(Path(app.root_path).parent / "migrations"))
    login_manager.init_app(app)
    if app.config["APP_ENV"] != "production" and catalogues.is_stale():
        catalogues.compile_catalogue()
    language.init_app(app)
    http.init_app(app)
    app.extensions["sms"] = HttpSmsGateway(app.config["SMS_API_BASE"], app.config["SMS_API_KEY"])
    for blueprint in [*BLUEPRINTS, *([] if app.config["APP_ENV"] == "production" else DEVELOPMENT_BLUEPRINTS)]:
        app.register_blueprint(blueprint)
    for group in COMMANDS:
        app.cli.add_command(group)
    access.declare_access(app)
    # while the house is being built: pages may name rooms that are not there yet
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"/not-built/{endpoint}")


def shift_file(app: Flask) -> Path:
    """Where a moved clock is kept, for every process of this instance."""
    return Path(app.instance_path) / "clock"
