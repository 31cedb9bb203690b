"""Pages of the catalogue: categories, one category, a product, a shop, search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import Blueprint, g, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

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

bp = Blueprint("catalog", __name__)

ORDERS = ("rank", "price", "price_down")


class CardView(NamedTuple):
    """A card in the reader's language, ready to print."""

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


def card_views(cards: list[Card]) -> list[CardView]:
    """Cards put into words; everything that is the same for all of them is worked out once."""
    chinese = reader_locale() == "zh"
    jin = _("jin (500 g)")
    nothing_comes, arrives, in_season = _("Not delivered to your point"), _("arrives %(day)s"), _("In season")
    days: dict[Any, str] = {None: nothing_comes}
    product_url = url_for("catalog.product", slug="-").removesuffix("-")
    views = []
    for card in cards:
        if card.arrives_on not in days:
            days[card.arrives_on] = arrives % {"day": day(card.arrives_on)} if card.arrives_on else nothing_comes
        views.append(
            CardView(
                product_url + card.slug,
                card.name_zh if chinese else card.name_en,
                picture_url(card.image, card.category_id),
                card.price,
                card.unit_zh if chinese else card.unit_en,
                f"¥{card.price_per_jin}/{jin} · ¥{card.price_per_kilogram}/kg",
                f"{card.merchant_name_zh if chinese else card.merchant_name_en} · {days[card.arrives_on]}",
                in_season if card.is_in_season else "",
                "good",
                card.available < 1,
                card.has_choices,
                "" if card.has_choices or card.arrives_on is None else card.code,
            )
        )
    return views


def picture_url(image: str, category_id: int, size: str = "small") -> str:
    """Where a product's picture is; the category's drawing stands in when it has none."""
    if image:
        return f"/media/{pictures.small(image) if size == 'small' else image}"
    if "category_slugs" not in g:
        g.category_slugs = {category.id: category.slug for category in queries.categories(reading())}
    return f"/static/img/category/{g.category_slugs.get(category_id, 'general')}.svg"


def card_labels() -> dict[str, str]:
    """What every card of a page shares."""
    return {
        "add": _("Add to cart:"), "sold_out": _("Sold out"), "from_": _("from (price)"),
        "add_url": url_for("cart.put"), "csrf": generate_csrf(),
    }  # fmt: skip


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
        "catalog/category.html", category=found, categories=queries.categories(session), cards=card_views(page.cards),
        labels=card_labels(), next_url=next_url(page), sort=request.args.get("sort", "rank"),
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
        "catalog/shop.html", merchant=merchant, cards=card_views(page.cards), labels=card_labels(), next_url=next_url(page),
        arrival=arriving.get(merchant.id),
    )  # fmt: skip


@bp.get("/products/<slug>")
@open_to_everyone
def product(actor: Actor, slug: str) -> str:
    here = current_point(actor)
    session = reading()
    page = queries.get_product(session, slug, here.id if here else None)
    chosen = next((variant for variant in page.variants if variant.code == request.args.get("variant")), None)
    shelf = next((found for found in queries.categories(session) if found.id == page.product.category_id), None)
    return render_template(
        "catalog/product.html", page=page, product=page.product, merchant=page.merchant, arrival=page.arrival,
        chosen=chosen or (page.variants[0] if page.variants else None), options=variant_options(page),
        seconds_left=int((page.arrival.cut_off_at - clock.now()).total_seconds()) if page.arrival else 0,
        category_url=url_for("catalog.category", slug=shelf.slug) if shelf else url_for("catalog.index"),
        label_facts=lambda: label_facts(page),
        image=picture_url(page.images[0] if page.images else "", page.product.category_id, "large"),
    )  # fmt: skip


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
        "catalog/search.html", text=text, found=found, cards=card_views(found.cards), labels=card_labels(),
        categories=queries.categories(session), next_url=url_for("catalog.search", q=text, page=page + 1) if found.has_more else "",
    )  # fmt: skip


@bp.get("/search/suggestions")
@open_to_everyone
def suggestions(actor: Actor) -> str:
    """A fragment of names that begin to match; fetched while somebody types."""
    names = search.suggest(reading(), request.args.get("q", ""))
    chinese = reader_locale() == "zh"
    return render_template("catalog/_suggestions.html", names=[name_zh if chinese else name_en for name_zh, name_en in names])
