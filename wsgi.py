"""The web server's door: `gunicorn wsgi:app`, `flask --app wsgi ...`."""

from __future__ import annotations

from shop import create_app

app = create_app()
if app.config["APP_ENV"] != "production":
    from demo.command import group  # a real city's shop carries no demo city

    app.cli.add_command(group)
