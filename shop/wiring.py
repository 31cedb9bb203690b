"""What the app is made of: its features, and the services they all stand on. Read this first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

import shop.models  # noqa: F401  (maps every table)
from config import read_data_keys, read_key
from shop.accounts.feature import FEATURE as ACCOUNTS
from shop.api.feature import FEATURE as API
from shop.bills.feature import FEATURE as BILLS
from shop.bills.gateway import HttpBiller
from shop.bulletin.feature import FEATURE as BULLETIN
from shop.cart.feature import FEATURE as CART
from shop.catalog.feature import FEATURE as CATALOG
from shop.checkout.feature import FEATURE as CHECKOUT
from shop.cli.feature import FEATURE as CLI
from shop.communities.feature import FEATURE as COMMUNITIES
from shop.consoles.admin.feature import FEATURE as CONSOLES_ADMIN
from shop.consoles.merchant.feature import FEATURE as CONSOLES_MERCHANT
from shop.consoles.station.feature import FEATURE as CONSOLES_STATION
from shop.counter.feature import FEATURE as COUNTER
from shop.favourites.feature import FEATURE as FAVOURITES
from shop.fulfilment.feature import FEATURE as FULFILMENT
from shop.home import context
from shop.home.feature import FEATURE as HOME
from shop.imports.feature import FEATURE as IMPORTS
from shop.kernel import clock, db, discretion, keys, privacy
from shop.listings.feature import FEATURE as LISTINGS
from shop.merchants.feature import FEATURE as MERCHANTS
from shop.onboarding.feature import FEATURE as ONBOARDING
from shop.orders.feature import FEATURE as ORDERS
from shop.payments.feature import FEATURE as PAYMENTS
from shop.payments.gateway import StripeGateway
from shop.pickup.feature import FEATURE as PICKUP
from shop.platform import (
    access,
    asked,
    bodies,
    buckets,
    catalogues,
    compression,
    files,
    forms,
    http,
    language,
    limits,
    links,
    logs,
    notices,
    parts,
    sharing,
    sure,
    validators,
    watching,
)
from shop.platform.actor import login_manager
from shop.platform.feature import FEATURE as PLATFORM
from shop.platform.features import registry
from shop.platform.parts import PageEnvironment as PageEnvironment
from shop.platform.sms import HttpSmsGateway
from shop.promotions.feature import FEATURE as PROMOTIONS
from shop.reviews.feature import FEATURE as REVIEWS
from shop.settlement.feature import FEATURE as SETTLEMENT
from shop.statistics.feature import FEATURE as STATISTICS
from shop.stock.feature import FEATURE as STOCK
from shop.wallet.feature import FEATURE as WALLET

FEATURES = (
    PLATFORM,
    ACCOUNTS,
    COMMUNITIES,
    MERCHANTS,
    CATALOG,
    STOCK,
    WALLET,
    PROMOTIONS,
    IMPORTS,
    LISTINGS,
    CART,
    FAVOURITES,
    BULLETIN,
    REVIEWS,
    PAYMENTS,
    PICKUP,
    COUNTER,
    ORDERS,
    BILLS,
    CHECKOUT,
    SETTLEMENT,
    FULFILMENT,
    ONBOARDING,
    STATISTICS,
    HOME,
    CONSOLES_MERCHANT,
    CONSOLES_STATION,
    CONSOLES_ADMIN,
    API,
    CLI,
)
"""Everything the shop is made of, in the order in which it is started, checked and shown. A new feature is one more line."""

registry.fill(FEATURES)
for feature in FEATURES:
    notices.WORDS.update(feature.notices or {})

migrations = Migrate(compare_type=False, render_as_batch=True)


def connect(app: Flask) -> None:
    """Connect everything to the app. A route without declared access stops the start."""
    logs.init_app(app)
    watching.init_app(app)
    clock.share_shift(None if app.config["APP_ENV"] == "production" or app.config["TESTING"] else shift_file(app))
    keys.keep(app.config["SECRET_KEY"])
    asked.init_app(app)
    keys.keep_ring(keys.KeyRing.of(read_data_keys(app.config["DATA_KEYS"]), read_key(app.config["LOOKUP_KEY"])))
    discretion.install()
    privacy.keep_files_private(Path(app.instance_path), db.sqlite_file(app.config["DATABASE_URL"]))
    compression.init_app(app)
    db.init_app(app)
    migrations.init_app(app, db.database, directory=str(Path(app.root_path).parent / "migrations"))
    login_manager.init_app(app, add_context_processor=False)  # pages are given `actor` instead
    if app.config["APP_ENV"] != "production" and catalogues.is_stale():
        catalogues.compile_catalogue()
    language.init_app(app)
    sharing.init_app(app)
    forms.init_app(app)
    sure.init_app(app)
    bodies.init_app(app)
    validators.init_app(app)
    http.init_app(app)
    parts.init_app(app)
    links.init_app(app)
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
    app.extensions["storage"] = storage_of(app)
    is_production = app.config["APP_ENV"] == "production"
    for feature in FEATURES:
        for blueprint in (*feature.blueprints, *(() if is_production else feature.development_blueprints)):
            app.register_blueprint(blueprint)
        for command in feature.commands:
            app.cli.add_command(command)
    access.declare_access(app)


def storage_of(app: Flask) -> files.Storage:
    """A bucket when one is named, else a folder of this instance."""
    if url := app.config["S3_BUCKET_URL"]:
        key = buckets.Key(app.config["S3_ACCESS_KEY"], app.config["S3_SECRET_KEY"], app.config["S3_REGION"])
        return buckets.BucketStorage(url, key)
    return files.FolderStorage(Path(app.instance_path) / "media")


def shift_file(app: Flask) -> Path:
    """Where a moved clock is kept, for every process of this instance."""
    return Path(app.instance_path) / "clock"
