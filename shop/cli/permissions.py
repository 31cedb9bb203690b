"""`flask permissions`: who may do what, and which doors each permission opens, for whoever reviews it."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from shop.models.accounts import Role
from shop.platform.features import registry
from shop.platform.grants import holders
from shop.platform.permissions import Permission

UNASKED = frozenset({"HEAD", "OPTIONS"})


@click.command("permissions")
@click.option("--role", "only", type=click.Choice([role.value for role in Role]), help="Only what this role holds.")
@with_appcontext
def permissions(only: str | None) -> None:
    """Show every permission, what it is, who holds it, and the pages and calls that ask for it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    doors = doors_by_permission(app)
    for permission in sorted(registry.permissions()):
        roles = [role.value for role in holders(permission)]
        if only is not None and only not in roles:
            continue
        click.echo(f"{permission.value:<30} {', '.join(roles)}")
        click.echo(f"    {permission.words}")
        for door in doors.get(permission, ["(asked for inside other pages)"]):
            click.echo(f"    {door}")


def doors_by_permission(app: Flask) -> dict[Permission, list[str]]:
    """The rules that ask for each permission, with their methods."""
    found: dict[Permission, list[str]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view: Any = app.view_functions[rule.endpoint]
        if view.access.permission is not None:
            methods = ", ".join(sorted((rule.methods or set()) - UNASKED))
            found.setdefault(view.access.permission, []).append(f"{methods} {rule.rule}")
    return found
