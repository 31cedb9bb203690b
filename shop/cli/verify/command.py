"""`flask verify`: is everything as it must be?"""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from shop.cli.verify.checks import INVARIANTS, Finding, broken
from shop.kernel.db import reading


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines.")
@with_appcontext
def verify(as_json: bool) -> None:
    """Check every invariant of money, orders, stock, bills and pick-up. Only reads. Exit 1 when one is broken."""
    findings = broken(reading())
    if as_json:
        document = {"invariants": len(INVARIANTS), "broken": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(document, ensure_ascii=False, default=str, indent=2))
    else:
        for finding in findings:
            show(finding)
        click.echo(f"{len(INVARIANTS) - len(findings)} invariants hold" + (f", {len(findings)} do not" if findings else ""))
    if findings:
        raise SystemExit(1)


def show(finding: Finding) -> None:
    click.secho(f"BROKEN {finding.name}", fg="red", bold=True)
    click.echo(f"  should be so: {finding.sentence}")
    for row in finding.rows:
        click.echo("  " + "  ".join(f"{name}={value}" for name, value in row.items()))
    if finding.count > len(finding.rows):
        click.echo(f"  ... and {finding.count - len(finding.rows)} more")
