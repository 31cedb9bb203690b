"""Pages of the catalogue: categories, one category, a product, a shop, search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import Blueprint, current_app, g, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from shop.catalog import pictures, queries, search
from shop.catalog.queries import Arrival, Card, Wanted
from shop.communities.current import current_point
from shop.kernel import clock
from shop.kernel.db import reading
from shop.merchants import queries as merchants
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.language import day, grams, name_of, reader_locale, yuan
from shop.platform.language import gettext as _
from shop.platform.parts import CSRF_SLOT

bp = Blueprint("catalog", __name__)

ORDERS = ("rank", "price", "price_down")


class CardView(NamedTuple):
    """A card in the reader's language, ready to draw."""

    url: str
    name: str
    image: str
    price: object
    unit: str
    unit_price: str
    note: str
    tag: str
    tag_tone: str
    sold_out: bool
    from_price: bool
    variant: str


# Drawn cards by language, listing version, what is left, and day: a page of cards is mostly looked up.
_drawn: dict[tuple[object, ...], str] = {}
MOST_DRAWN = 20_000
IN_FIRST_SCREEN = 4

MOST_AT_ONCE = 99


def card_grid(cards: list[Card], eager: int = IN_FIRST_SCREEN) -> Markup:
    """The cards of a page as one piece; the pictures of the first few are not delayed."""
    locale, today = reader_locale(), clock.today()
    keeps = not current_app.jinja_env.auto_reload and not current_app.testing
    drawn = []
    for place, card in enumerate(cards):
        key = (locale, card.product_id, card.version, card.available > 0, card.arrives_on, today, place < eager)
        text = _drawn.get(key) if keeps else None
        if text is None:
            text = draw_card(card, place < eager)
            if len(_drawn) >= MOST_DRAWN:
                _drawn.clear()
            if keeps:
                _drawn[key] = text
        drawn.append(text)
    return Markup("".join(drawn).replace(CSRF_SLOT, generate_csrf()))  # noqa: S704  (a template drew and escaped it)


def draw_card(card: Card, is_eager: bool) -> str:
    """One card, with a slot where the form token goes."""
    labels = {
        "add": _("Add to cart:"), "sold_out": _("Sold out"), "from_": _("from (price)"), "add_url": url_for("cart.put"), "csrf": CSRF_SLOT,
    }  # fmt: skip
    macros: Any = current_app.jinja_env.get_template("components/card.html").module
    return str(macros.product_card(card_view(card), labels, is_eager))


def card_view(card: Card) -> CardView:
    """A card put into words."""
    when = _("arrives %(day)s", day=day(card.arrives_on)) if card.arrives_on else _("Not delivered to your point")
    return CardView(
        url_for("catalog.product", slug=card.slug),
        name_of(card),
        picture_url(card.image, card.category_id),
        card.price,
        name_of(card, "unit"),
        f"¥{card.price_per_jin}/{_('jin (500 g)')} · ¥{card.price_per_kilogram}/kg",
        f"{name_of(card, 'merchant_name')} · {when}",
        _("In season") if card.is_in_season else "",
        "good",
        card.available < 1,
        card.has_choices,
        "" if card.has_choices or card.arrives_on is None else card.code,
    )


def picture_url(image: str, category_id: int, size: str = "small") -> str:
    """Where a product's picture is; the category's drawing stands in when it has none."""
    if image:
        return f"/media/{pictures.small(image) if size == 'small' else image}"
    if "category_slugs" not in g:
        g.category_slugs = {category.id: category.slug for category in queries.categories(reading())}
    return f"/static/img/category/{g.category_slugs.get(category_id, 'general')}.svg"


def arriving_for(actor: Actor) -> dict[int, Arrival]:
    """What can come to the reader's point."""
    here = current_point(actor)
    return queries.arrivals(reading(), here.id if here else None)


def wanted_from_query(**fixed: Any) -> Wanted:
    """Filters and place from the address; what makes no sense is ignored."""
    order = request.args.get("sort", "rank")
    after: tuple[int, int] | None = None
    parts = request.args.get("after", "").split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        after = (int(parts[0]), int(parts[1]))
    return Wanted(in_season=request.args.get("season") == "1", order=order if order in ORDERS else "rank", after=after, **fixed)


def next_url(page: queries.Page) -> str:
    """The same page with the place where the next one begins."""
    if page.next_after is None:
        return ""
    arguments: Mapping[str, Any] = {**(request.view_args or {}), **request.args.to_dict(), "after": "{}-{}".format(*page.next_after)}
    return url_for(str(request.endpoint), **arguments)


@bp.get("/categories")
@open_to_everyone
def index(actor: Actor) -> str:
    return render_template("catalog/index.html", categories=queries.categories(reading()))


@bp.get("/categories/<slug>")
@open_to_everyone
def category(actor: Actor, slug: str) -> str:
    session = reading()
    found = queries.get_category(session, slug)
    page = queries.list_cards(session, wanted_from_query(category_id=found.id), arriving_for(actor))
    return render_template(
        "catalog/category.html", category=found, categories=queries.categories(session), grid=card_grid(page.cards),
        next_url=next_url(page), sort=request.args.get("sort", "rank"),
        season="1" if request.args.get("season") == "1" else None, category_url=url_for("catalog.category", slug="-").removesuffix("-"),
    )  # fmt: skip


@bp.get("/shops/<code>")
@open_to_everyone
def shop(actor: Actor, code: str) -> str:
    session = reading()
    merchant = merchants.get_merchant(session, code)
    arriving = arriving_for(actor)
    page = queries.list_cards(session, wanted_from_query(merchant_id=merchant.id), arriving, only_arriving=False)
    return render_template(
        "catalog/shop.html", merchant=merchant, grid=card_grid(page.cards), next_url=next_url(page),
        arrival=arriving.get(merchant.id),
    )  # fmt: skip


@bp.get("/products/<slug>")
@open_to_everyone
def product(actor: Actor, slug: str) -> str:
    here = current_point(actor)
    page = queries.get_product(reading(), slug, here.id if here else None)
    chosen = next((variant for variant in page.variants if variant.code == request.args.get("variant")), None)
    chosen = chosen or (page.variants[0] if page.variants else None)
    return render_template(
        "catalog/product.html", page=page, product=page.product, merchant=page.merchant, arrival=page.arrival, chosen=chosen,
        state=page_state(page, chosen), options=lambda: variant_options(page), label_facts=lambda: label_facts(page),
        seconds_left=int((page.arrival.cut_off_at - clock.now()).total_seconds()) if page.arrival else 0,
        category_url=lambda: shelf_url(page.product.category_id),
        image=lambda: picture_url(page.images[0] if page.images else "", page.product.category_id, "large"),
    )  # fmt: skip


def page_state(page: queries.ProductPage, chosen: queries.VariantFacts | None) -> tuple[object, ...]:
    """All that the kept parts of a product's page depend on, besides the language."""
    variants = tuple((variant.code, variant.price.fen, min(variant.available, MOST_AT_ONCE)) for variant in page.variants)
    return (page.product.id, page.product.updated_at, clock.today(), chosen.code if chosen else "", variants, *page.images)


def shelf_url(category_id: int) -> str:
    """Where a product stands: its category's page."""
    slug = next((found.slug for found in queries.categories(reading()) if found.id == category_id), None)
    return url_for("catalog.category", slug=slug) if slug else url_for("catalog.index")


def variant_options(page: queries.ProductPage) -> list[dict[str, object]]:
    """The variants as choices, sold-out ones greyed."""
    return [
        {"value": variant.code, "label": name_of(variant, "label"), "note": yuan(variant.price), "disabled": variant.available < 1}
        for variant in page.variants
    ]


def label_facts(page: queries.ProductPage) -> list[tuple[str, str]]:
    """What a label must say: origin, weight, storage, shelf life, allergens, season, return policy."""
    product = page.product
    storage = {"ambient": _("At room temperature"), "chilled": _("Chilled, 0 to 4 °C"), "frozen": _("Frozen, −18 °C or colder")}
    known_allergens = {
        "egg": _("Eggs"), "fish": _("Fish"), "milk": _("Milk"), "peanut": _("Peanuts"), "sesame": _("Sesame"), "soy": _("Soya"),
        "wheat": _("Wheat (gluten)"),
    }  # fmt: skip
    rows = [(_("Origin"), product.origin)]
    if page.variants:
        weight = grams(page.variants[0].net_weight_grams)
        nominal = product.priced_by.value == "weight"
        rows.append((_("Weight of one unit"), _("about %(weight)s", weight=weight) if nominal else weight))
    rows += [
        (_("Storage"), storage[product.storage.value]),
        (_("Shelf life"), _("%(days)s days", days=product.shelf_life_days)),
        (_("Return policy"), _("Within 7 days, unopened") if product.is_returnable_within_7_days else _(
            "Fresh or perishable: no return without reason. Spoiled or wrong goods are always made good.")),
    ]  # fmt: skip
    if product.season_months:
        first, last = product.season_months.split("-")
        rows.append((_("Season"), _("month %(first)s to month %(last)s", first=first, last=last)))
    if product.allergens:
        rows.append((_("Allergens"), "、".join(known_allergens.get(code, code) for code in product.allergens.split("|"))))
    return rows


@bp.get("/search", endpoint="search")
@open_to_everyone
def search_page(actor: Actor) -> str:
    text = request.args.get("q", "").strip()
    number = request.args.get("page", "0")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
    session = reading()
    found = search.find(session, text, arriving_for(actor), page=page) if text else search.Found([], True, False)
    return render_template(
        "catalog/search.html", text=text, found=found, grid=card_grid(found.cards),
        categories=queries.categories(session), next_url=url_for("catalog.search", q=text, page=page + 1) if found.has_more else "",
    )  # fmt: skip


@bp.get("/search/suggestions")
@open_to_everyone
def suggestions(actor: Actor) -> str:
    """A fragment of names that begin to match; fetched while somebody types."""
    names = search.suggest(reading(), request.args.get("q", ""))
    chinese = reader_locale() == "zh"
    return render_template("catalog/_suggestions.html", names=[name_zh if chinese else name_en for name_zh, name_en in names])
