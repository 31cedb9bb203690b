"""Help, the agreement, privacy, about, and whose work the shop stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from flask import Blueprint, current_app, render_template

from config import ROOT
from shop.communities.current import current_point
from shop.communities.queries import directory
from shop.kernel.db import reading
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.features import registry
from shop.platform.language import gettext as _
from shop.platform.language import reader_locale
from shop.platform.sharing import Share
from shop.platform.typed import READERS, YOU

bp = Blueprint("legal", __name__)

FRONT_END = (("Bootstrap", "MIT"), ("htmx", "0BSD"))
"""What pages carry to the browser, beside our own."""

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
LONGEST_LICENCE = 40


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of software by others, and on which terms it may be used."""

    name: str
    version: str
    licence: str


@bp.get("/help")
@open_to_everyone
def help(actor: Actor) -> str:  # noqa: A001  (the page's name)
    share = Share(_("How to order, collect, pay bills and get help: the answers to what neighbours ask most."))
    return render_template(
        "legal/help.html", point=current_point(actor), communities=directory(reading()).communities, share=share,
        security_contact=current_app.config["SECURITY_CONTACT"].removeprefix("mailto:"),
    )  # fmt: skip


@bp.get("/terms")
@open_to_everyone
def terms(actor: Actor) -> str:
    share = Share(_("What Linli and you owe each other: prices, weight, payment, collecting, and the money in the wallet."))
    return render_template("legal/terms.html", custodian=custodian(), share=share)


@bp.get("/returns")
@open_to_everyone
def returns(actor: Actor) -> str:
    share = Share(_("What can be returned, until when, and how the money comes back."))
    return render_template("legal/returns.html", point=current_point(actor), share=share)


@bp.get("/privacy")
@open_to_everyone
def privacy(actor: Actor) -> str:
    share = Share(_("Which data Linli needs, what for, for how long, and how to see or delete them."))
    texts = sorted(registry.typed().values(), key=lambda text: text.by != YOU)
    return render_template("legal/privacy.html", custodian=custodian(), texts=texts, readers=READERS, share=share)


@bp.get("/about")
@open_to_everyone
def about(actor: Actor) -> str:
    share = Share(_("What Linli is for, what it holds itself to, and who operates it."))
    return render_template("legal/about.html", custodian=custodian(), share=share)


@bp.get("/licences")
@open_to_everyone
def licences(actor: Actor) -> str:
    share = Share(_("Whose software Linli stands on, and under which licences."))
    return render_template("legal/licences.html", works=works(), front_end=FRONT_END, share=share)


def custodian() -> str:
    """Who holds the money of the wallets, in the reader's language."""
    return str(current_app.config[f"CUSTODIAN_{reader_locale().upper()}"])


@cache
def works() -> list[Work]:
    """The packages of requirements.txt as they are installed here, with the licence each one states."""
    lock = Path(ROOT) / "requirements.txt"
    found = []
    for name in sorted(set(LOCKED.findall(lock.read_text(encoding="utf-8")))) if lock.exists() else ():
        try:
            found.append(Work(name, metadata.version(name), licence_of(name)))
        except metadata.PackageNotFoundError:  # only for other systems
            continue
    return found


def licence_of(package: str) -> str:
    """The licence in the package's own words: the expression, else the short text, else its classifier."""
    about_it = metadata.metadata(package)
    for field in ("License-Expression", "License"):
        said = str((about_it.get_all(field) or [""])[0]).strip()
        if said and "\n" not in said and len(said) <= LONGEST_LICENCE:
            return said
    labels = [line.rsplit(" :: ", 1)[1] for line in about_it.get_all("Classifier") or () if line.startswith("License :: ")]
    return ", ".join(labels)
