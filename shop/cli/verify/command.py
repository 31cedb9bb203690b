"""`flask verify`: is everything as it must be?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from shop.cli.verify.checks import Finding, Outcome, check
from shop.cli.verify.facts import Facts, snapshot
from shop.cli.verify.rounds import Seen, run_round
from shop.platform.features import registry

BROKEN, NOT_CHECKED = 1, 2


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines.")
@click.option("--all", "everything", is_flag=True, help="All of it, which is what happens without --new too.")
@click.option("--new", "only_new", is_flag=True, help="What the worker does every five minutes: what has changed, and what is due.")
@click.option("--slow", is_flag=True, help="Also say how long the ten slowest took.")
@with_appcontext
def verify(as_json: bool, everything: bool, only_new: bool, slow: bool) -> None:
    """Check every invariant of money, orders, stock, bills and pick-up, all in one moment of the database. Only reads, unless --new.

    Ends with 1 when one is broken; with 2 when none is, but some could not be checked.
    """
    if everything and only_new:
        raise click.UsageError("either --all or --new")
    with progress(len(registry.invariants())) as seen:
        outcomes = run_round(seen=seen) if only_new else check_all(seen)
    findings = [outcome.finding for outcome in outcomes if outcome.finding]
    failed = [outcome for outcome in outcomes if outcome.trouble]
    if as_json:
        document = {
            "invariants": len(outcomes), "broken": [asdict(finding) for finding in findings],
            "not_checked": [{"name": outcome.name, "trouble": outcome.trouble} for outcome in failed],
        }  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False, default=str, indent=2))
    else:
        tell(outcomes, findings, failed)
        for outcome in sorted(outcomes, key=lambda one: -one.milliseconds)[: 10 if slow else 0]:
            click.echo(f"{outcome.milliseconds:>8} ms  {outcome.name}")
    if findings or failed:
        raise SystemExit(BROKEN if findings else NOT_CHECKED)


def check_all(seen: Seen) -> list[Outcome]:
    """Every invariant over all rows, as they are at one moment."""
    with snapshot() as session:
        return check(session, registry.invariants(), Facts(session), seen)


@contextmanager
def progress(count: int) -> Iterator[Seen]:
    """A bar on stderr while somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _outcome: None
        return
    with click.progressbar(length=count, label="checking", file=sys.stderr) as bar:
        yield lambda _outcome: bar.update(1)


def tell(outcomes: list[Outcome], findings: list[Finding], failed: list[Outcome]) -> None:
    for finding in findings:
        show(finding)
    for outcome in failed:
        click.secho(f"NOT CHECKED {outcome.name}: {outcome.trouble}", fg="yellow", bold=True)
    counts = f"{len(outcomes) - len(findings) - len(failed)} invariants hold"
    counts += f", {len(findings)} do not" if findings else ""
    click.echo(counts + (f", {len(failed)} could not be checked" if failed else ""))


def show(finding: Finding) -> None:
    click.secho(f"BROKEN {finding.name}", fg="red", bold=True)
    click.echo(f"  should be so: {finding.sentence}")
    for row in finding.rows:
        click.echo("  " + "  ".join(f"{name}={value}" for name, value in row.items()))
    if finding.count > len(finding.rows):
        click.echo(f"  ... and {finding.count - len(finding.rows)} more")
