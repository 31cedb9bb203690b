"""`flask audit check`: whether the audit is as it was written; from the beginning, or one month by itself."""

from __future__ import annotations

import re

import click
from flask.cli import AppGroup

from shop.kernel.db import finish_reading, perform, reading
from shop.platform import audit_checks

group = AppGroup("audit", help="Who did what to what, and the chains that hold it.")


class Month(click.ParamType):
    """A month of the city's calendar: 2026-11."""

    name = "month"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])|first", value, re.ASCII):
            self.fail(f"{value!r} is no month such as 2026-11, nor first", param, ctx)
        return value


@group.command("check")
@click.option("--whole", is_flag=True, help="From the beginning of each chain, not from where it was last found to hold.")
@click.option("--month", type=Month(), help="One month by itself, from its beginning; `first` is the chain of before there were months.")
def check(whole: bool, month: str | None) -> None:
    """Go through the chains of the audit. Only reads. Exit 1 when one does not hold."""
    session = reading()
    broken = audit_checks.broken_links(session, whole=whole or month is not None, month=month)
    lost = [] if month else audit_checks.passed_over(session, whole=whole)
    for found in broken:
        click.secho(f"BROKEN {found.community_id}/{found.month} at {found.position}: {found.wrong}", fg="red")
    for entry_id in lost:
        click.secho(f"BROKEN entry {entry_id} is in no chain", fg="red")
    if broken or lost:
        raise SystemExit(1)
    click.echo("every chain holds")


@group.command("anchor")
def anchor() -> None:
    """Go through what is new, and write down up to where each chain holds. Workers do so every hour."""
    chains = audit_checks.to_anchor(reading())
    finish_reading()
    click.echo(f"{perform(audit_checks.anchor, chains)} chains anchored")
