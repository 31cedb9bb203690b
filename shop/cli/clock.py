"""`flask clock show | set | advance`: move the one clock, in development and for demonstrations only."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import click
from flask import current_app
from flask.cli import AppGroup

from shop.kernel import clock, gate

LONGEST_SPAN = timedelta(days=36_525)

group = AppGroup("clock", help="The shop's clock (development only).")

PARTS = re.compile(r"([0-9]{1,9})\s*(d|h|min|m|s)")
SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}


@group.command("show")
def show() -> None:
    """What time it is in the shop, and how far that is from the real time."""
    moved = f"moved by {readable(clock.shift())}" if clock.shift() else "not moved"
    click.echo(f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S} Asia/Shanghai, {moved}")


@group.command("set")
@click.argument("when")
def set_(when: str) -> None:
    """Let it be WHEN: "now" (the real time), "2026-12-24 18:00", or "18:00" (today)."""
    check_allowed()
    if when == "now":
        clock.move(timedelta(0))
    else:
        really_now = clock.now() - clock.shift()
        clock.move(wanted_moment(when) - really_now)
    show.callback()  # type: ignore[misc]


@group.command("advance")
@click.argument("by")
def advance(by: str) -> None:
    """Let time pass: "2h", "1d", "90min", "1d 6h"."""
    check_allowed()
    span = duration(by)
    if not clock.now() + span < clock.at(gate.LAST_DAY, time(0)):
        raise click.BadParameter(f"the shop knows no day after {gate.LAST_DAY}")
    clock.move(clock.shift() + span)
    show.callback()  # type: ignore[misc]


def check_allowed() -> None:
    if current_app.config["APP_ENV"] == "production":
        raise click.ClickException("In production the clock is the real one.")


def wanted_moment(text: str) -> datetime:
    """A moment on the city's wall clock. Raises a usage error for anything else."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M"):
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007  (the zone is given on the next line)
        except ValueError:
            continue
        day = clock.today() if form == "%H:%M" else found.date()
        if gate.FIRST_DAY <= day <= gate.LAST_DAY:
            return clock.at(day, found.time())
    raise click.BadParameter(f'not a time: {text!r}; try "2026-12-24 18:00", "18:00" or "now"')


def duration(text: str) -> timedelta:
    """`1d 6h` as a time span. Raises a usage error for anything else."""
    parts = PARTS.findall(text)
    if not parts or PARTS.sub("", text).strip():
        raise click.BadParameter(f'not a time span: {text!r}; try "2h", "1d" or "90min"')
    seconds = sum(int(count) * SECONDS[unit] for count, unit in parts)
    if seconds > LONGEST_SPAN.total_seconds():
        raise click.BadParameter(f"too long a time span: {text!r}")
    return timedelta(seconds=seconds)


def readable(span: timedelta) -> str:
    """`+1 day, 2:00:00`."""
    whole = timedelta(seconds=round(span.total_seconds()))
    return f"+{whole}" if whole >= timedelta(0) else f"-{-whole}"
