"""What pages of the catalogue tell chats and search engines: price, unit, shop and origin in a sentence, goods as schema.org has them."""

from __future__ import annotations

from collections.abc import Sequence

from shop.catalog import pictures, rules, words
from shop.catalog.queries import Card, CategoryFacts, ProductPage, VariantFacts
from shop.kernel.money import Money
from shop.kernel.units import millilitres_of, per_unit
from shop.models.merchants import Merchant
from shop.platform.language import gettext as _
from shop.platform.language import name_of, yuan
from shop.platform.sharing import Facts, Picture, Share, listed, priced, public_url, spoken_url, spoken_urls, trail

IN_STOCK, SOLD_OUT = "https://schema.org/InStock", "https://schema.org/OutOfStock"
BY_WEIGHT = ((500, "GRM"), (1, "KGM"))
"""A jin and a kilogram in the codes of UN/CEFACT."""


def product_share(page: ProductPage, category: CategoryFacts, has_picture: bool, state: tuple[object, ...]) -> Share:
    """A product: everything follows from its `state`, its shelf and the language, so it is kept (docs/decisions/0023)."""
    product = page.product
    picture = Picture(f"/media/{pictures.shared(page.images[0])}", name_of(product)) if has_picture else None
    first = page.cheapest

    def facts() -> tuple[Facts, ...]:
        home = (_("Linli"), spoken_url("home.index"))
        shelves = (_("Categories"), spoken_url("catalog.index"))
        shelf = (name_of(category), spoken_url("catalog.category", slug=category.slug))
        address = spoken_url("catalog.product", slug=product.slug)
        return goods(page, category, address, picture), trail(home, shelves, shelf, (name_of(product), address))

    return Share(
        description=sentence_of(page, first),
        picture=picture,
        price=first.price if first else None,
        facts=facts,
        follows_from=(state, category, has_picture),
    )


def sentence_of(page: ProductPage, first: VariantFacts | None) -> str:
    """Price, shop and origin before all else: previews cut off what follows."""
    product = page.product
    told = [name_of(page.merchant), _("from %(origin)s", origin=name_of(product, "origin"))]
    if first is not None:
        amount = f"{yuan(first.price)}/{per_unit(name_of(first, 'label'))}"
        told.insert(0, _("%(price)s and up", price=amount) if len(page.variants) > 1 else amount)
    return " · ".join(told) + (f"  {said}" if (said := name_of(product, "description")) else "")


def goods(page: ProductPage, category: CategoryFacts, address: str, picture: Picture | None) -> Facts:
    """A product with an offer for each of its sizes."""
    product = page.product
    told: Facts = {"@type": "Product", "@id": f"{address}#product", "name": name_of(product), "sku": product.code, "url": address}
    told["description"] = name_of(product, "description") or sentence_of(page, page.cheapest)
    told["category"] = name_of(category)
    if picture:
        told["image"] = [public_url(picture.path)]
    offers = [offer(variant, page, category) for variant in page.variants]
    if offers:
        told["offers"] = offers[0] if len(offers) == 1 else offers
    return told


def offer(variant: VariantFacts, page: ProductPage, category: CategoryFacts) -> Facts:
    """One size: what it costs, whether it can be had, who sells it, and what a jin, a kilogram or a litre costs."""
    can_be_had = variant.available >= variant.minimum_quantity
    told: Facts = {
        "@type": "Offer", "sku": variant.code, "name": name_of(variant, "label"), **priced(variant.price),
        "url": spoken_url("catalog.product", slug=page.product.slug, variant=variant.code),
        "availability": IN_STOCK if can_be_had else SOLD_OUT,
        "itemCondition": "https://schema.org/NewCondition", "seller": seller(page.merchant),
    }  # fmt: skip
    if category.has_unit_price and (volume := millilitres_of(name_of(variant, "label"))):
        told["priceSpecification"] = [by_measure(rules.price_per_litre(variant.price, volume), 1, "LTR")]
    elif category.has_unit_price:
        rates = (variant.price_per_jin, variant.price_per_kilogram)
        told["priceSpecification"] = [by_measure(rate, *measure) for rate, measure in zip(rates, BY_WEIGHT, strict=True)]
    return told


def by_measure(rate: Money, value: int, code: str) -> Facts:
    measure = {"@type": "QuantitativeValue", "value": value, "unitCode": code}
    return {"@type": "UnitPriceSpecification", **priced(rate), "referenceQuantity": measure}


def seller(merchant: Merchant) -> Facts:
    return {"@type": "Organization", "name": name_of(merchant), "url": spoken_url("catalog.shop", code=merchant.code)}


def category_share(category: CategoryFacts, cards: Sequence[Card], is_found: bool) -> Share:
    """A shelf with what stands on it; narrowed, sorted or leafed through it is the same goods again and not to be found."""
    name = name_of(category)

    def facts() -> tuple[Facts, ...]:
        address = spoken_url("catalog.category", slug=category.slug)
        steps = ((_("Linli"), spoken_url("home.index")), (_("Categories"), spoken_url("catalog.index")), (name, address))
        return trail(*steps), *contents(cards)

    return Share(
        _("%(category)s from the shops and growers of the neighbourhood. Order at home, collect downstairs.", category=name),
        facts=facts, is_found=is_found, follows_from=(name, *(card.slug for card in cards)) if is_found else (),
    )  # fmt: skip


def shop_share(merchant: Merchant, cards: Sequence[Card], is_found: bool) -> Share:
    """Who sells, and what."""
    told = {**seller(merchant), "description": name_of(merchant, "business")}
    steps = ((_("Linli"), spoken_url("home.index")), (name_of(merchant), spoken_url("catalog.shop", code=merchant.code)))
    description = _("%(kind)s. %(business)s. Order at home, collect downstairs.", kind=words.kind_of(merchant), business=name_of(
        merchant, "business"))  # fmt: skip
    return Share(description, facts=lambda: (told, trail(*steps), *contents(cards)), is_found=is_found)


def contents(cards: Sequence[Card]) -> list[Facts]:
    """The list of goods on a page; nothing when it is empty."""
    return [listed(spoken_urls("catalog.product", "slug", [card.slug for card in cards]))] if cards else []
