"""10,000 attempts at 1,000 units by eight processes: with the guard, and as a control with read-then-write instead."""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

from bench.houses import ROOT, houses

PROCESSES, ATTEMPTS, STOCK = 8, 1_250, 1_000


def race(engine: str) -> list[str]:
    """Lines that say what was sold, with and without the guard."""
    notes = []
    for guarded in (True, False):
        with houses(engine, {"race": ROOT}) as (house,):
            environment = house.environment
            house.run("flask", "--app", "wsgi", "db", "upgrade")
            context = multiprocessing.get_context("spawn")
            with context.Pool(PROCESSES) as pool:
                variant_id = pool.apply(shelve, (environment,))
                outcomes = pool.starmap(attempt_many, [(environment, variant_id, number, guarded) for number in range(PROCESSES)])
                left = pool.apply(on_hand, (environment, variant_id))
        sold = sum(outcome[0] for outcome in outcomes)
        refused = sum(outcome[1] for outcome in outcomes)
        errors = sum(outcome[2] for outcome in outcomes)
        name = "guard" if guarded else "control without the guard"
        notes.append(
            f"{engine}: race, {name}: {PROCESSES * ATTEMPTS} attempts on {STOCK}: {sold} sold, {refused} refused, {errors} errors, "
            f"{max(0, sold - STOCK)} oversold, {left} left on the shelf"
        )
    return notes


def app_for(environment: dict[str, str]) -> Any:
    os.environ.update(environment)
    from shop import create_app

    return create_app()


def shelve(environment: dict[str, str]) -> int:
    """One product with the stock of the race."""
    with app_for(environment).app_context():
        from tests.support.factories import Factories

        return Factories(None).product(on_hand=STOCK).id  # type: ignore[arg-type]


def attempt_many(environment: dict[str, str], variant_id: int, number: int, guarded: bool) -> tuple[int, int, int]:
    """Try to sell one unit again and again: how many were sold, refused, and failed otherwise."""
    from sqlalchemy.exc import DBAPIError

    from shop.kernel.db import perform
    from shop.stock.errors import StockShortage

    sold = refused = errors = 0
    with app_for(environment).app_context():
        for _ in range(ATTEMPTS):
            try:
                perform(take_guarded if guarded else take_naively, variant_id)
                sold += 1
            except (StockShortage, SoldOut):
                refused += 1
            except DBAPIError:
                errors += 1
    return sold, refused, errors


class SoldOut(Exception):
    """The naive way saw an empty shelf."""


def take_guarded(session: Any, variant_id: int) -> None:
    from shop.stock import operations

    operations._take(session, {variant_id: 1}, held=False)


def take_naively(session: Any, variant_id: int) -> None:
    """Read, decide, write: what the guard replaces. On SQLite the transaction has to be opened as the driver does by default."""
    import sqlalchemy as sa

    from shop.models.stock import StockItem

    engine = session.get_bind()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        there = connection.execute(sa.select(StockItem.on_hand).where(StockItem.variant_id == variant_id)).scalar_one()
        if there < 1:
            raise SoldOut
        connection.execute(sa.update(StockItem).where(StockItem.variant_id == variant_id).values(on_hand=there - 1))


def on_hand(environment: dict[str, str], variant_id: int) -> int:
    with app_for(environment).app_context():
        from shop.kernel.db import reading
        from shop.models.stock import StockItem

        return int(reading().get_one(StockItem, variant_id).on_hand)
