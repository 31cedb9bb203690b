"""What machines ask a site for by fixed addresses: which pages may be read, which there are, its icon, and whom to tell of a weakness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from xml.sax.saxutils import escape

from flask import Blueprint, Response, current_app, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound

from shop.catalog import addresses, queries
from shop.kernel import clock
from shop.kernel.db import reading
from shop.platform.access import public_file
from shop.platform.language import ADDRESS, LOCALES
from shop.platform.sharing import LANGUAGES, public_url

bp = Blueprint("discovery", __name__)

PRIVATE = (
    "/me", "/cart", "/checkout", "/orders", "/pickup", "/bills", "/wallet", "/payments", "/notices", "/sign-in", "/sign-out",
    "/second-factor", "/preferences", "/merchant", "/station", "/admin", "/api/", "/webhooks/", "/search/",
)  # fmt: skip
"""How addresses begin where no search engine finds anything for anybody. What else is not to be found says so itself, and must be
read to be heard."""

OPEN = "/media/"
"""Begins like /me, and is everybody's."""

PAGES = (
    "home.index", "catalog.index", "communities.choose", "legal.help", "legal.about", "legal.returns", "legal.terms", "legal.privacy",
    "legal.licences",
)  # fmt: skip
NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
AN_HOUR = "public, max-age=3600"
GOOD_FOR = timedelta(days=180)
MOST_RANGES = 2**63 // addresses.RANGE - 1
"""Beyond that no id can be."""


def kept_an_hour(content: str, kind: str) -> Response:
    """The same for everybody, for an hour, and with a tag to ask about it again."""
    answer = Response(content, mimetype=kind)
    answer.headers["Cache-Control"] = AN_HOUR
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@bp.get("/robots.txt")
@public_file
def robots() -> Response:
    """Everything may be read but what belongs to one person, or is made from what somebody typed."""
    rules = [f"Allow: {OPEN}", *(f"Disallow: {path}" for path in PRIVATE)]
    lines = ["User-agent: *", *rules, "", f"Sitemap: {public_url(url_for('discovery.index'))}"]
    return kept_an_hour("\n".join(lines) + "\n", "text/plain")


@bp.get("/favicon.ico")
@public_file
def favicon() -> Response:
    """For whoever asks without having read a page."""
    folder = current_app.extensions["assets"].folder / "img" / "app-icons"
    answer: Response = send_from_directory(folder, "favicon.ico", mimetype="image/x-icon", max_age=86_400)
    return answer


@bp.get("/.well-known/security.txt")
@public_file
def security() -> Response:
    """Whom to tell of a weakness (RFC 9116). It never runs out: the day it holds until moves with today."""
    until = datetime.combine(clock.today(), time(), UTC) + GOOD_FOR
    lines = {
        "Contact": current_app.config["SECURITY_CONTACT"] or public_url(url_for("legal.help")),
        "Expires": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Preferred-Languages": ", ".join(LOCALES),
        "Canonical": public_url(url_for("discovery.security")),
        "Policy": public_url(f"{url_for('legal.help')}#weakness"),
    }
    return kept_an_hour("".join(f"{name}: {value}\n" for name, value in lines.items()), "text/plain")


@bp.get("/sitemap.xml")
@public_file
def index() -> Response:
    """The pages of the site map."""
    pages = [url_for("discovery.places"), *(url_for("discovery.goods", number=number) for number in addresses.ranges(reading()))]
    entries = "".join(f"<sitemap><loc>{escape(public_url(page))}</loc></sitemap>\n" for page in pages)
    return site_map("sitemapindex", [entries])


@bp.get("/sitemap/places.xml")
@public_file
def places() -> Response:
    """Everything but goods: the shop's own pages, its shelves and its sellers."""
    session = reading()
    paths = [url_for(endpoint) for endpoint in PAGES]
    paths += [url_for("catalog.category", slug=category.slug) for category in queries.categories(session)]
    paths += [url_for("catalog.shop", code=code) for code in addresses.selling(session)]
    return site_map("urlset", (entry for path in paths for entry in entries_of(path, 0)))


@bp.get("/sitemap/goods-<id:number>.xml")
@public_file
def goods(number: int) -> Response:
    """The goods of one range of ids."""
    if number > MOST_RANGES:
        raise NotFound()
    found = addresses.goods_in(reading(), number)
    if not found:
        raise NotFound()
    paths = ((url_for("catalog.product", slug=product.slug), product.version) for product in found)
    return site_map("urlset", (entry for path, version in paths for entry in entries_of(path, version)))


def site_map(kind: str, entries: Iterable[str]) -> Response:
    inside = "".join(entries)
    return kept_an_hour(f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} {NAMESPACES}>\n{inside}</{kind}>\n', "application/xml")


def entries_of(path: str, version: int) -> Iterator[str]:
    """A page in each language, each with the others; `version` is when it was last written."""
    plain = escape(public_url(path))
    spoken = {locale: f"{plain}?{ADDRESS}={locale}" for locale in LOCALES}
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{address}"/>'
        for language, address in [*((LANGUAGES[locale], address) for locale, address in spoken.items()), ("x-default", plain)]
    )
    changed = f"<lastmod>{datetime.fromtimestamp(version // 1_000_000, UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}</lastmod>" if version else ""
    for address in spoken.values():
        yield f"<url><loc>{address}</loc>{changed}{others}</url>\n"
