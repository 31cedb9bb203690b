"""`flask seed demo`: fill an empty instance with the demo city."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from demo import catalogue, files, history, offers, people, scale
from demo.city import City
from shop.kernel import clock, memory
from shop.kernel.db import reading, refresh_statistics, transaction
from shop.models.accounts import User
from shop.models.catalog import Product
from shop.pickup import operations as pickup
from shop.platform.files import Storage

group = AppGroup("seed", help="Demo data.")

MOST_DAYS = 90


@dataclass(frozen=True)
class Plan:
    """How much of a city: neighbours of each community who shop, days of history, and from which chance."""

    neighbours: int = 40
    days: int = 30
    seed: int = 1
    has_pictures: bool = True

    @property
    def steps(self) -> int:
        """How many steps `fill` takes."""
        pictures = len(files.rows("products")) + len(files.rows("merchants")) if self.has_pictures else 0
        return pictures + 2 + self.days


@group.command("demo")
@click.option("--if-empty", is_flag=True, help="Say nothing when there is data already.")
@click.option("--products", default=0, type=click.IntRange(0, 10_000_000), help="At least so many products in all, the rest in plain rows.")
@click.option("--residents", default=0, type=click.IntRange(0, scale.MOST_RESIDENTS), help="At least so many people in all, likewise.")
@click.option("--days", default=Plan.days, show_default=True, type=click.IntRange(3, MOST_DAYS), help="Days of history.")
@click.option("--seed", default=Plan.seed, show_default=True, help="Another number makes other people and other baskets.")
def demo(if_empty: bool, products: int, residents: int, days: int, seed: int) -> None:
    """Fill an empty instance with the demo city. What is there already is left as it is, so running it again changes nothing."""
    if current_app.config["APP_ENV"] == "production":
        raise click.ClickException("Demo data never goes into production.")
    filled = is_filled(reading())
    if filled and if_empty:
        return
    if not filled:
        plan = Plan(days=days, seed=seed)
        with click.progressbar(length=plan.steps, label="Demo city") as bar:
            fill(plan, current_app.extensions["storage"], bar.update)
    more_products, more_residents = scale.products_missing(products), scale.residents_missing(residents)
    if more_products:
        with click.progressbar(length=more_products, label="More products") as bar:
            scale.add_products(more_products, bar.update)
    if more_residents:
        with click.progressbar(length=more_residents, label="More residents") as bar:
            scale.add_residents(more_residents, bar.update)
    if more_products or more_residents:
        refresh_statistics()
    if filled and not more_products and not more_residents:
        click.echo("There is data already; nothing was changed.")


def fill(plan: Plan, storage: Storage, step: Callable[[int], object]) -> None:
    """Write the whole city in one transaction: all of it, or nothing. `step` hears of each of `plan.steps`."""
    kept: dict[str, str] = {}
    logos: dict[str, str] = {}
    if plan.has_pictures:
        kept = catalogue.keep_pictures(storage, "products", catalogue.PICTURE_SIZE, lambda: step(1))
        logos = catalogue.keep_pictures(storage, "merchants", catalogue.LOGO_SIZE, lambda: step(1))
    chance = Random(plan.seed)
    with clock.apart(), transaction() as session:
        clock.move(clock.shift() - timedelta(days=plan.days + 1))
        add_city(session, kept, logos, lambda: step(1))
        people.add_people(session)
        people.add_neighbours(session, chance, plan.neighbours)
        step(1)
        city = City.of(session)
        clock.move(clock.shift() + timedelta(days=plan.days + 1))
        history.write(session, chance, city, plan.days, step)
        pickup.open_cycles(session)
    refresh_statistics()
    memory.forget()


def add_city(session: Session, kept: dict[str, str], logos: dict[str, str], step: Callable[[], object]) -> None:
    """What stands before anybody shops."""
    moment = clock.now()
    catalogue.add_places(session)
    catalogue.add_merchants(session, moment, logos)
    catalogue.add_categories(session)
    catalogue.add_billers(session)
    catalogue.add_products(session, moment, kept)
    session.flush()
    offers.add_offers(session, moment)
    step()


def is_filled(session: Session) -> bool:
    """Whether anybody or anything is there."""
    return bool(session.scalar(sa.select(sa.or_(sa.exists().select_from(User), sa.exists().select_from(Product)))))
