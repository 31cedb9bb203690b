"""`flask keys check | rotate`: which keys seal personal data, and sealing all of it under the newest one."""

from __future__ import annotations

from collections import Counter

import click
from flask.cli import AppGroup

from shop.kernel import keys, resealing
from shop.kernel.db import Base, perform, reading
from shop.kernel.keys import CannotOpen
from shop.kernel.sealing import hash_columns, sealed_columns

group = AppGroup("keys", help="The keys of personal data.")


@group.command("check")
def check() -> None:
    """Say how many values are under which version. Exit 1 when a version in use has no key here."""
    counts: Counter[str] = sum(resealing.versions_in_use(reading()).values(), Counter())
    ring, known = keys.ring(), set(map(str, keys.ring().ciphers))
    for version in sorted(known | set(counts), key=lambda version: (len(version), version)):
        said = "newest, seals" if version == str(ring.newest) else "can be taken away" if not counts[version] else "in use"
        click.echo(f"version {version}: {counts[version]} values, {said if version in known else 'NO KEY'}")
    if missing := sorted(set(counts) - known):
        raise click.ClickException(f"no key opens the values of version {', '.join(missing)}")


@group.command("rotate")
@click.option("--lookups", is_flag=True, help="Write what values are found by anew, after a new LOOKUP_KEY; stop the shop for that.")
def rotate(lookups: bool) -> None:
    """Seal everything under the newest version. Few rows at a time, while the shop runs; stopped halfway, run it again."""
    try:
        done = rehash_all() if lookups else reseal_all()
    except CannotOpen as error:
        raise click.ClickException(f"{error}: the key it is under is not in DATA_KEYS") from error
    click.echo(f"{done} rows written anew")


def reseal_all() -> int:
    """Seal every row that is under an older version; again for what processes with older settings wrote meanwhile."""
    missing, done = resealing.count_outdated(reading()), 0
    with click.progressbar(length=missing, label="sealing") as bar:
        for table, names in resealing.sealed_tables().items():
            after: int | None = 0
            while after is not None:
                count, after = perform(resealing.reseal, table, names, after)
                bar.update(count)
                done += count
    return done


def rehash_all() -> int:
    done = 0
    tables = [table for table in sealed_columns(Base.metadata) if hash_columns(table)]
    with click.progressbar(tables, label="looking") as bar:
        for table in bar:
            after: int | None = 0
            while after is not None:
                count, after = perform(resealing.rehash, table, after)
                done += count
    return done
