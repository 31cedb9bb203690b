"""The web server's door: `gunicorn wsgi:app`, `flask --app wsgi ...`."""

from __future__ import annotations

from shop import create_app

app = create_app()
