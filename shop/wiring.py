"""What the app is made of: extensions, blueprints, jobs, commands. Read this first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask
from flask_migrate import Migrate

import shop.accounts.browser
import shop.accounts.jobs
import shop.api.v1.auth
import shop.api.v1.bills
import shop.api.v1.cart
import shop.api.v1.catalog
import shop.api.v1.checkout
import shop.api.v1.me
import shop.api.v1.merchant
import shop.api.v1.openapi
import shop.api.v1.orders
import shop.api.v1.passes
import shop.api.v1.places
import shop.api.v1.station
import shop.api.v1.wallet
import shop.bills.jobs
import shop.consoles.merchant.bulk
import shop.consoles.merchant.deliveries
import shop.consoles.merchant.goods
import shop.consoles.station.deliveries
import shop.fulfilment.jobs
import shop.home.sign_in
import shop.models
import shop.orders.jobs
import shop.payments.jobs
import shop.pickup.jobs
import shop.platform.jobs
import shop.settlement.jobs
import shop.wallet.jobs  # noqa: F401  (registers work)
from shop.accounts.views import me as accounts
from shop.accounts.views import notices, preferences
from shop.api.v1 import core as api
from shop.bills import views as bills
from shop.bills.gateway import HttpBiller
from shop.cart import views as cart
from shop.catalog import views as catalog
from shop.checkout import views as checkout
from shop.cli import clock as clock_commands
from shop.cli import doctor as doctor_commands
from shop.cli import jobs as jobs_commands
from shop.cli import translate as translate_commands
from shop.cli import users as users_commands
from shop.cli import wallet as wallet_commands
from shop.cli.seed import command as seed_commands
from shop.cli.verify import command as verify_commands
from shop.communities import views as communities
from shop.consoles.admin import views as admin
from shop.consoles.merchant import views as merchant
from shop.consoles.station import views as station
from shop.home import bundles, context, development, installable, legal
from shop.home import views as home
from shop.kernel import clock, db, keys
from shop.orders import views as orders
from shop.payments.gateway import StripeGateway
from shop.pickup import views as pickup
from shop.platform import access, catalogues, compression, files, forms, health, http, language, limits, parts
from shop.platform.actor import login_manager
from shop.platform.parts import PageEnvironment as PageEnvironment
from shop.platform.sms import HttpSmsGateway
from shop.settlement import views as settlement
from shop.wallet import views as wallet

BLUEPRINTS = [
    health.bp,
    files.bp,
    bundles.bp,
    home.bp,
    home.life,
    installable.bp,
    legal.bp,
    catalog.bp,
    cart.bp,
    checkout.bp,
    orders.bp,
    accounts.bp,
    preferences.bp,
    notices.bp,
    communities.bp,
    bills.bp,
    settlement.bp,
    wallet.bp,
    pickup.bp,
    merchant.bp,
    station.bp,
    admin.bp,
    api.bp,
]

DEVELOPMENT_BLUEPRINTS: list[Blueprint] = [
    development.bp,
]

COMMANDS = [
    jobs_commands.group,
    translate_commands.group,
    users_commands.group,
    wallet_commands.group,
    seed_commands.group,
    verify_commands.verify,
    doctor_commands.doctor,
    clock_commands.group,
]

migrations = Migrate(compare_type=False, render_as_batch=True)


def connect(app: Flask) -> None:
    """Connect everything to the app. A route without declared access stops the start."""
    clock.share_shift(None if app.config["APP_ENV"] == "production" or app.config["TESTING"] else shift_file(app))
    keys.keep(app.config["SECRET_KEY"])
    compression.init_app(app)
    db.init_app(app)
    migrations.init_app(app, db.database, directory=str(Path(app.root_path).parent / "migrations"))
    login_manager.init_app(app, add_context_processor=False)  # pages are given `actor` instead
    if app.config["APP_ENV"] != "production" and catalogues.is_stale():
        catalogues.compile_catalogue()
    language.init_app(app)
    parts.init_app(app)
    forms.init_app(app)
    http.init_app(app)
    limits.init_app(app)
    context.init_app(app)
    app.extensions["payments"] = StripeGateway(
        app.config["STRIPE_SECRET_KEY"], (app.config["STRIPE_WEBHOOK_SECRET"], app.config["STRIPE_WEBHOOK_SECRET_PREVIOUS"]),
        app.config["STRIPE_API_BASE"],
    )
    app.extensions["biller"] = HttpBiller(
        app.config["BILLER_API_BASE"], app.config["BILLER_API_KEY"], app.config["BILLER_TIMEOUT_SECONDS"],
        timedelta(seconds=app.config["BILLER_SETTLE_SECONDS"]),
    )  # fmt: skip
    app.extensions["sms"] = HttpSmsGateway(app.config["SMS_API_BASE"], app.config["SMS_API_KEY"])
    app.extensions["storage"] = files.FolderStorage(Path(app.instance_path) / "media")
    for blueprint in [*BLUEPRINTS, *([] if app.config["APP_ENV"] == "production" else DEVELOPMENT_BLUEPRINTS)]:
        app.register_blueprint(blueprint)
    for group in COMMANDS:
        app.cli.add_command(group)
    access.declare_access(app)


def shift_file(app: Flask) -> Path:
    """Where a moved clock is kept, for every process of this instance."""
    return Path(app.instance_path) / "clock"
