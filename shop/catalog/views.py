"""Pages of the catalogue: categories, one category, a product, a shop, search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from markupsafe import Markup

from shop.catalog import facets, pictures, queries, rules, search, shared, shelves, words
from shop.catalog.facets import Group
from shop.catalog.forms import IN_ADDRESS, Filters, filters_of, place_of
from shop.catalog.queries import Arrival, Card, CategoryFacts
from shop.communities.current import current_point
from shop.communities.queries import Point
from shop.kernel import clock
from shop.kernel.db import reading
from shop.kernel.money import Money
from shop.kernel.units import millilitres_of, per_unit
from shop.merchants import queries as merchants
from shop.models.merchants import Merchant
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor, current_actor
from shop.platform.asked import address
from shop.platform.features import registry
from shop.platform.files import storage
from shop.platform.language import ADDRESS, language_of_address, name_of, reader_locale, spoken_deadline, spoken_on, spoken_start
from shop.platform.language import gettext as _
from shop.platform.parts import kept_page
from shop.platform.sharing import Share
from shop.platform.slots import Shown

bp = Blueprint("catalog", __name__)


class CardView(NamedTuple):
    """A card in the reader's language, ready to draw."""

    url: str
    name: str
    image: str
    price: object
    unit: str
    rates: tuple[str, ...]
    merchant: str
    arrival: str
    arrival_tone: str
    tag: str
    tag_tone: str
    sold_out: bool
    from_price: bool
    variant: str


# Drawn cards by language, listing version, what is left, and day: a page of cards is mostly looked up.
_drawn: dict[tuple[object, ...], str] = {}
MOST_DRAWN = 20_000
IN_FIRST_SCREEN = 4

BESIDE = Markup("\ue000beside\ue000")
"""Where other features put something onto a card."""

MOST_AT_ONCE = 99
MOST_PAGES = 999
MOST_TYPED = 1_000


def card_grid(cards: list[Card], here: Point | None, eager: int = IN_FIRST_SCREEN, level: int = 3) -> Markup:
    """The cards of a page as one piece; the pictures of the first few are not delayed. `here` is the reader's point, `level` that of
    the cards' headings: 2 right below the page's own."""
    locale, today, is_placed = (reader_locale(), language_of_address(), level), clock.today(), here is not None
    keeps = not current_app.jinja_env.auto_reload and not current_app.testing
    drawn = []
    for place, card in enumerate(cards):
        key = (locale, card.product_id, card.version, card.available > 0, card.arrives_on, today, is_placed, place < eager)
        text = _drawn.get(key) if keeps else None
        if text is None:
            text = draw_card(card, is_placed, place < eager, level)
            if len(_drawn) >= MOST_DRAWN:
                _drawn.clear()
            if keeps:
                _drawn[key] = text
        drawn.append(text)
    return Markup("".join(with_pieces(cards, drawn)))  # noqa: S704  (templates drew and escaped it)


def with_pieces(cards: Sequence[Card], drawn: list[str]) -> Iterator[str]:
    """Drawn cards with what other features put onto them, for this reader."""
    name = f"name_{reader_locale()}"  # asked once, not for every card
    shown = [Shown(card.product_id, card.slug, getattr(card, name)) for card in cards]
    pieces = [each.on_cards(current_actor(), shown) for each in registry.beside_goods()]
    for text, *of_card in zip(drawn, *pieces, strict=True):
        yield text.replace(BESIDE, "".join(of_card))


@bp.app_template_global()
def forms_beside_goods(token: str) -> Markup:
    """The forms that the pieces beside goods belong to."""
    return Markup("".join(each.form(token) for each in registry.beside_goods()))  # noqa: S704  (templates drew and escaped it)


def draw_card(card: Card, is_placed: bool, is_eager: bool, level: int) -> str:
    """One card. Nothing of a person stands in it."""
    labels = {"beside": BESIDE, "add": _("Add to cart:"), "sold_out": _("Sold out"), "from_": _("and up")}
    macros: Any = current_app.jinja_env.get_template("components/card.html").module
    return str(macros.product_card(card_view(card, is_placed), labels, is_eager, level))


def card_view(card: Card, is_placed: bool) -> CardView:
    """A card put into words. Of arrival it speaks only to somebody who has a point."""
    comes = card.arrives_on is not None
    when = ""
    if card.arrives_on is not None:
        when = _("Arrives %(day)s", day=spoken_on(card.arrives_on))
    elif is_placed:
        when = _("Not delivered to your point")
    rates: tuple[str, ...] = ()
    if category_of(card.category_id).has_unit_price:
        rates = compared(name_of(card, "unit"), card.price, card.price_per_jin, card.price_per_kilogram)
    return CardView(
        url_for("catalog.product", slug=card.slug),
        name_of(card),
        picture_url(card.image, card.category_id),
        card.price,
        per_unit(name_of(card, "unit")),
        rates,
        name_of(card, "merchant_name"),
        when,
        "good" if comes else "muted",
        _("In season") if card.is_in_season else "",
        "fresh",
        card.available < 1,
        card.has_choices,
        "" if card.has_choices or (is_placed and not comes) else card.code,
    )


def compared(unit: str, price: Money, per_jin: Money, per_kilogram: Money) -> tuple[str, ...]:
    """What a jin and a kilogram cost, or a litre of what is sold by volume; not again what the price of this unit says already.

    A bag of 500 g costs what a jin costs: said all the same, or it could not be compared with the bag beside it.
    """
    if volume := millilitres_of(unit):
        return ("¥{}/{}".format(rules.price_per_litre(price, volume), _("litre")),)
    rates = [(per_jin, _("jin")), (per_kilogram, "kg")]
    return tuple(f"¥{rate}/{measure}" for rate, measure in rates if measure != unit)


def category_of(category_id: int) -> CategoryFacts:
    """A category by its id, from the list kept in memory."""
    if "categories_by_id" not in g:
        g.categories_by_id = {category.id: category for category in queries.categories(reading())}
    found: CategoryFacts = g.categories_by_id.get(category_id) or CategoryFacts(category_id, "general", "", "")
    return found


def picture_url(image: str, category_id: int, size: str = "small") -> str:
    """Where a product's picture is; the category's drawing stands in when it has none."""
    if image:
        return f"/media/{pictures.small(image) if size == 'small' else image}"
    return f"/static/img/category/{category_of(category_id).slug}.svg"


class PictureView(NamedTuple):
    """A picture ready to draw: where it is, its other widths for `srcset`, and what is seen on it."""

    src: str
    srcset: str
    alt: str


def shown_pictures(page: queries.ProductPage) -> list[PictureView]:
    """The pictures of a product in their order; the drawing of its category where it has none."""
    name, category_id = name_of(page.product), page.product.category_id
    if not page.pictures:
        return [PictureView(picture_url("", category_id), "", name)]
    return [
        PictureView(picture_url(one.file, category_id, "large"), widths_of(one), name_of(one, "alt") or numbered(name, number))
        for number, one in enumerate(page.pictures, start=1)
    ]


def numbered(name: str, number: int) -> str:
    """What a picture is called that nobody described."""
    return name if number == 1 else _("%(name)s, picture %(number)s", name=name, number=number)


def widths_of(picture: queries.PictureFacts) -> str:
    """The widths of a picture as `srcset` says them; nothing for those kept with fewer."""
    if not picture.has_medium:
        return ""
    sizes = ((pictures.small, pictures.SMALL), (pictures.medium, pictures.MEDIUM), (str, pictures.LARGE))
    return ", ".join(f"/media/{name(picture.file)} {width}w" for name, width in sizes)


def arriving_for(actor: Actor) -> dict[int, Arrival]:
    """What can come to the reader's point."""
    here = current_point(actor)
    return queries.arrivals(reading(), here.id if here else None)


def next_url(page: queries.Page) -> str:
    """The same page with the place where the next one begins."""
    if page.next_after is None:
        return ""
    said = {name: address.word(name) for name in IN_ADDRESS if address.has(name)}
    arguments: Mapping[str, Any] = {**(request.view_args or {}), **said, "after": "{}-{}".format(*page.next_after)}
    return url_for(str(request.endpoint), **arguments)


def settled(page: str, here: Callable[[], str]) -> Response | str:
    """A page; when a script fetched it for its list, with the short address that the browser shall show."""
    if request.headers.get("HX-Target") != "goods":
        return page
    answer = make_response(page)
    answer.headers["HX-Push-Url"] = here()
    return answer


@bp.get("/categories")
@open_to_everyone
def index(actor: Actor) -> str:
    share = Share(_("Everything the neighbourhood's shops and growers sell, by category."))
    return render_template("catalog/index.html", categories=queries.categories(reading()), share=share)


def is_whole() -> bool:
    """Whether a list is asked for as it is, neither narrowed, sorted nor further down: the address that search engines may keep."""
    return not address.names() - {ADDRESS}


@bp.get("/categories/<slug>")
@open_to_everyone
def category(actor: Actor, slug: str) -> Response | str:
    session, here, arriving = reading(), current_point(actor), arriving_for(actor)
    found = queries.get_category(session, slug)
    only_arriving = not address.is_on("all")
    groups = facets.of_shelf(session, found.id, tuple(sorted(arriving)) if only_arriving else ())
    filters = filters_of(address, {group.shop for group in groups})
    wanted = filters.wanted(queries.Wanted(category_id=found.id, after=place_of(address)), merchant_id=shop_named(filters.shop))
    page = queries.list_cards(session, wanted, arriving, only_arriving=only_arriving)
    counted = facets.counted(groups, filters.chosen())
    is_short = counted.is_more and filters.narrowing  # all that is chosen may lie behind what was counted
    return settled(
        render_template(
            "catalog/category.html", category=found, categories=queries.categories(session), grid=card_grid(page.cards, here, level=2),
            share=shared.category_share(found, page.cards, is_whole()), next_url=next_url(page), filters=filters, facets=counted,
            count=shelves.count(session, wanted, arriving, only_arriving=only_arriving) if is_short else counted.goods,
            prices=price_words, undo=lambda: ways_back(filters, groups, slug=slug),
        ),
        lambda: url_for("catalog.category", **{**dict[str, Any](filters.arguments), "slug": slug}),
    )  # fmt: skip


def shop_named(code: str) -> int | None:
    """The id of a shop that a list is narrowed to."""
    merchant = merchants.by_code(reading(), code) if code else None
    return merchant.id if merchant else None


def price_words() -> dict[str, str]:
    """The ranges of prices, by their name in the address."""
    return {"0-10": _("up to ¥10"), "10-30": _("¥10 to ¥30"), "30-": _("¥30 and up")}


def ways_back(filters: Filters, groups: Sequence[Group], **place: str) -> list[tuple[str, str]]:
    """What was narrowed by, in words, each with the address of the same list without it. `place` is what the list itself is named by."""
    shop = next((name_of(group) for group in groups if group.shop == filters.shop), "")
    category = next((name_of(found) for found in queries.categories(reading()) if found.slug == filters.category), "")
    said = {
        "season": _("In season now"), "weight": _("Sold by weight"), "shop": shop, "price": price_words().get(filters.price, ""),
        "category": category,
    }  # fmt: skip
    arguments: list[tuple[str, dict[str, Any]]] = [(name, {**place, **filters.without(name).arguments}) for name in filters.narrowing]
    return [(said[name], url_for(str(request.endpoint), **without)) for name, without in arguments]


@bp.get("/shops/<code>")
@open_to_everyone
def shop(actor: Actor, code: str) -> str:
    session, here, arriving = reading(), current_point(actor), arriving_for(actor)
    merchant = merchants.get_merchant(session, code)
    text, place = address.text("q", MOST_TYPED), address.number("page", most=MOST_PAGES)
    wanted = filters_of(address).wanted(queries.Wanted(merchant_id=merchant.id, after=place_of(address)))
    if text:
        inside = replace(wanted, merchant_id=None)
        found = search.find(session, text, arriving, page=place, wanted=inside, shop_id=merchant.id, with_groups=True)
        cards, following = found.cards, url_for("catalog.shop", code=code, q=text, page=place + 1) if found.has_more else ""
        count = found.count
    else:
        found, page = None, queries.list_cards(session, wanted, arriving, only_arriving=False)
        cards, following, count = page.cards, next_url(page), shelves.count(session, wanted, arriving, only_arriving=False)
    return render_template(
        "catalog/shop.html", merchant=merchant, grid=card_grid(cards, here, level=2), next_url=following,
        share=shared.shop_share(merchant, cards, is_whole()), text=text, found=found,
        count=count, arrival=arriving.get(merchant.id), sort=wanted.order, kind=words.kind_of(merchant), logo=logo_url(merchant),
        more=Markup("".join(say(merchant.id) for say in registry.on_shop_page())),  # noqa: S704  (templates drew and escaped it)
    )  # fmt: skip


def logo_url(merchant: Merchant) -> str:
    """A merchant's sign; empty when it has none."""
    return f"/media/{pictures.small(merchant.logo)}" if merchant.logo else ""


@bp.get("/products/<slug>")
@open_to_everyone
def product(actor: Actor, slug: str) -> str:
    session, here = reading(), current_point(actor)
    page = queries.get_product(session, slug, here.id if here else None)
    chosen = chosen_variant(page.variants, address.word("variant"))
    similar = card_grid(shelves.similar(session, page.product.category_id, page.product.id, here.id if here else None), here, eager=0)
    state = page_state(page, chosen)
    shown = Shown(page.product.id, slug, name_of(page.product))
    beside = "".join(each.on_page(actor, shown) for each in registry.beside_goods())
    below = "".join(each(actor, shown) for each in registry.below_goods())
    has_share = bool(page.images) and storage().may_show(pictures.shared(page.images[0]))
    return kept_page(
        "catalog/product.html", (state, page.arrival is None, not similar, has_share),
        lambda: {
            "share": shared.product_share(page, category_of(page.product.category_id), has_share, state),
            "page": page, "product": page.product, "merchant": page.merchant, "arrival": page.arrival, "chosen": chosen, "state": state,
            "options": lambda: variant_options(page), "label_facts": lambda: words.label_facts(page),
            "category_url": lambda: shelf_url(page.product.category_id), "category": lambda: category_of(page.product.category_id),
            "rates": lambda: rates_of(page, chosen), "weighing": lambda: words.weighing(page, chosen),
            "kind": lambda: words.kind_of(page.merchant), "logo": lambda: logo_url(page.merchant), "has_similar": bool(similar),
            "pictures": lambda: shown_pictures(page),
        },
        cut_off=draw_cut_off(page.arrival, name_of(here)) if page.arrival and here else "", similar=similar, beside=beside, below=below,
    )  # fmt: skip


def draw_cut_off(arrival: Arrival, point_name: str) -> str:
    """Until when to order, counted down; drawn for every answer, because it changes by the second."""
    clocks: Any = current_app.jinja_env.get_template("components/clock.html").module
    return str(clocks.cut_off(
        _("Order by %(until)s", until=spoken_deadline(arrival.cut_off_at)), int((arrival.cut_off_at - clock.now()).total_seconds()),
        then=_("Collect %(when)s at %(point)s", when=spoken_start(arrival.arrives_at), point=point_name),
    ))  # fmt: skip


def chosen_variant(variants: Sequence[queries.VariantFacts], code: str) -> queries.VariantFacts | None:
    """The variant the address names, else the cheapest that can be had (the one its card prices), else the cheapest."""
    named = next((variant for variant in variants if variant.code == code), None)
    return named or min(variants, key=lambda variant: (variant.available < 1, variant.price), default=None)


def page_state(page: queries.ProductPage, chosen: queries.VariantFacts | None) -> tuple[object, ...]:
    """All that the kept parts of a product's page depend on, besides the language."""
    variants = tuple(  # all that is said of a size: a sheet changes its words, weight and steps without touching the product
        replace(variant, available=min(variant.available, max(MOST_AT_ONCE, variant.minimum_quantity))) for variant in page.variants
    )
    shop = page.merchant
    sign = (shop.id, shop.name_zh, shop.name_en, shop.kind, shop.business_zh, shop.business_en, shop.uscc, shop.logo)
    return (page.product.id, page.product.updated_at, clock.today(), chosen.code if chosen else "", variants, sign, *page.pictures)


def shelf_url(category_id: int) -> str:
    """Where a product stands: its category's page."""
    slug = next((found.slug for found in queries.categories(reading()) if found.id == category_id), None)
    return url_for("catalog.category", slug=slug) if slug else url_for("catalog.index")


def rates_of(page: queries.ProductPage, variant: queries.VariantFacts | None) -> tuple[str, ...]:
    """What a jin and a kilogram of a variant cost; nothing for goods that nobody compares by weight."""
    if variant is None or not category_of(page.product.category_id).has_unit_price:
        return ()
    return compared(name_of(variant, "label"), variant.price, variant.price_per_jin, variant.price_per_kilogram)


def variant_options(page: queries.ProductPage) -> list[dict[str, object]]:
    """The variants to choose from, each with its price; sold-out ones are greyed."""
    return [
        {
            "value": variant.code, "label": name_of(variant, "label"), "price": variant.price, "rates": rates_of(page, variant),
            "left": variant.available, "disabled": variant.available < 1,
        }
        for variant in page.variants
    ]  # fmt: skip
