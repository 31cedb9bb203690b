"""Changing the catalogue. Whatever a card or a search shows is rewritten in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import measures, rules, terms
from shop.catalog.names import Names
from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.catalog import Category, Listing, PricedBy, Product, ProductImage, ProductState, SearchTerm, Variant
from shop.models.merchants import Merchant

WEIGHT_ITSELF, WEIGHT_CALLED, WEIGHT_NAME, WEIGHT_SAME, WEIGHT_WIDER, WEIGHT_PLACE = 24, 22, 20, 12, 8, 6
"""`WEIGHT_CALLED` is that of another name of the thing itself: 红苕 is one of 红心苕, and of 红苕粉条 only what it is made of."""
WHOLE = 1
"""How much more a wider word weighs for the thing itself than for what is made of it: 橙子 is said of 血橙, and less of 血橙汁."""


@operation
def refresh_listings(session: Session, product_ids: Iterable[int]) -> None:
    """Write the listing rows of products anew from what they are now; products off sale lose theirs."""
    wanted = sorted(set(product_ids))
    for start in range(0, len(wanted), 500):
        _refresh_some(session, wanted[start : start + 500])


def _refresh_some(session: Session, product_ids: list[int]) -> None:
    """Products locked by id first: of two who write the listing of one product, the second writes it after the first, from what is then."""
    session.execute(sa.select(Product.id).where(Product.id.in_(product_ids)).order_by(Product.id).with_for_update(key_share=True))
    session.execute(sa.delete(Listing).where(Listing.product_id.in_(product_ids)).execution_options(synchronize_session=False))
    products = session.execute(
        sa.select(Product, Merchant)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(Product.id.in_(product_ids), Product.state == ProductState.ON_SALE)
        .execution_options(populate_existing=True)  # the caller may have read them before it wrote
    ).all()
    variants: dict[int, list[Variant]] = {}
    for variant in session.scalars(
        sa.select(Variant)
        .where(Variant.product_id.in_(product_ids), Variant.is_on_sale)
        .order_by(Variant.position, Variant.id)
        .execution_options(populate_existing=True)
    ):
        variants.setdefault(variant.product_id, []).append(variant)
    pictures = session.execute(
        sa.select(ProductImage.product_id, ProductImage.file)
        .where(ProductImage.product_id.in_(product_ids))
        .order_by(ProductImage.position, ProductImage.id)
    )
    images: dict[int, list[str]] = {}
    for row in pictures:
        images.setdefault(row.product_id, []).append(row.file)
    rows = [
        listing_of(product, merchant, variants[product.id], images.get(product.id, []))
        for product, merchant in products
        if product.id in variants
    ]
    if rows:
        session.execute(sa.insert(Listing), rows)


def listing_of(product: Product, merchant: Merchant, variants: list[Variant], images: list[str]) -> dict[str, object]:
    """The listing row of a product: its cheapest size prices it ("from"), the first picture shows it."""
    cheapest = min(variants, key=lambda variant: (variant.price, variant.position, variant.id))
    per_jin, per_kilogram = rules.comparable_prices(cheapest.price, cheapest.net_weight_grams)
    return {
        "product_id": product.id, "variant_id": cheapest.id, "merchant_id": merchant.id, "category_id": product.category_id,
        "code": product.code, "slug": product.slug, "name_zh": product.name_zh, "name_en": product.name_en,
        "merchant_code": merchant.code, "merchant_name_zh": merchant.name_zh, "merchant_name_en": merchant.name_en,
        "unit_zh": cheapest.label_zh, "unit_en": cheapest.label_en, "price": cheapest.price, "price_per_jin": per_jin,
        "price_per_kilogram": per_kilogram, "is_by_weight": product.priced_by is PricedBy.WEIGHT, "has_choices": len(variants) > 1,
        "storage": product.storage, "season_mask": rules.season_mask(product.season_months),
        "image": images[0] if images else "", "rank": product.position,
        "version": int(clock.now().timestamp() * 1_000_000),
    }  # fmt: skip


@operation
def refresh_search_terms(
    session: Session, product_ids: Iterable[int], synonyms: Sequence[Sequence[str]], kinds: Sequence[Sequence[str]] = ()
) -> None:
    """Write the search terms of products anew. `synonyms` are words that mean the same; `kinds` a wider word before those it covers."""
    names = Names(synonyms, kinds)
    wanted = sorted(set(product_ids))
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        session.execute(sa.delete(SearchTerm).where(SearchTerm.product_id.in_(some)).execution_options(synchronize_session=False))
        rows = session.execute(
            sa.select(Product, Merchant, Category)
            .join(Merchant, Merchant.id == Product.merchant_id)
            .join(Category, Category.id == Product.category_id)
            .where(Product.id.in_(some), Product.state == ProductState.ON_SALE)
            .execution_options(populate_existing=True)
        )
        sizes: dict[int, list[Any]] = {}
        for row in session.execute(
            sa.select(Variant.product_id, Variant.label_zh, Variant.label_en, Variant.net_weight_grams)
            .where(Variant.product_id.in_(some), Variant.is_on_sale)
        ):
            sizes.setdefault(row.product_id, []).append(row)
        found = [
            {"term": term, "product_id": product.id, "weight": weight, "rank": product.position, "merchant_id": product.merchant_id}
            for product, merchant, category in rows
            for term, weight in {**terms_of(product, merchant, category, names), **amounts_of(sizes.get(product.id, []))}.items()
        ]
        if found:
            session.execute(sa.insert(SearchTerm), found)


def amounts_of(sizes: Sequence[Any]) -> dict[str, int]:
    """The terms of what the sizes of a product weigh, hold or count."""
    return {
        term: WEIGHT_SAME
        for size in sizes
        for term in measures.of_size(terms.fold(size.label_zh), terms.fold(size.label_en), size.net_weight_grams)
    }


def terms_of(product: Product, merchant: Merchant, category: Category, names: Names) -> dict[str, int]:
    """All terms a product is found by, with their weights."""
    found: dict[str, int] = {}
    terms.index_terms(product.name_zh, WEIGHT_NAME, found, with_pinyin=True)
    terms.index_terms(product.name_en, WEIGHT_NAME, found)
    for name in (product.name_zh, product.name_en):
        terms.index_thing(name, WEIGHT_ITSELF, found)
    called, covered = names.beside(names.last(terms.thing(product.name_zh)))
    same, wider = names.beside(product.name_zh)
    for word in same:
        terms.index_terms(word, WEIGHT_NAME if word in called else WEIGHT_SAME, found, with_pinyin=True)
        if word in called:
            terms.index_thing(word, WEIGHT_CALLED, found)
    for word in wider:
        terms.index_terms(word, WEIGHT_WIDER + WHOLE * (word in called | covered), found, with_pinyin=True)
    for text in (merchant.name_zh, merchant.name_en, category.name_zh, category.name_en, product.origin_zh, product.origin_en):
        terms.index_terms(text, WEIGHT_PLACE, found)
    return found
