"""Where things are in the checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
INSTANCE = ROOT / "instance"
NODE_MODULES = ROOT / "node_modules"
STATIC = ROOT / "shop" / "static"
VENDOR = STATIC / "vendor"
BUILT = ROOT / "shop" / "built"
TRANSLATIONS = ROOT / "shop" / "translations"
PACKAGE_LOCK = ROOT / "package-lock.json"


def venv_command(name: str, venv: Path = VENV) -> str:
    """The path of a command in the virtual environment; it need not exist yet."""
    return str(venv / "bin" / name)


def flask_command(*words: str) -> list[str]:
    """How a `flask ...` command of the shop is started."""
    return [venv_command("python"), "-m", "flask", "--app", "wsgi", *words]
