"""What a search can be narrowed by, and what is suggested while somebody types."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shop.api.v1.catalog import CODE, PlaceQuery, point_of
from shop.catalog import facets, popular, queries, search
from shop.catalog.matching import MOST_FOUND
from shop.kernel.db import reading
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE
from shop.platform.language import name_of

TYPED = Annotated[str, Field(max_length=search.LIMIT_CHARACTERS), READABLE]


class SuggestionQuery(Schema):
    q: TYPED = ""


class SuggestionList(Schema):
    items: list[str]


class FacetQuery(PlaceQuery):
    q: TYPED
    category: Annotated[str, CODE] | None = None
    merchant: Annotated[str, CODE] | None = None
    in_season: bool = False


class Facet(Schema):
    value: str
    name: str
    products: int


class FacetsOut(Schema):
    products: int
    is_lower_bound: bool
    categories: list[Facet]
    merchants: list[Facet]
    in_season: int
    priced_by_weight: int


@route(
    "GET", "/search/suggestions", open_to_everyone, summary="Names that begin to match; for nothing typed, what many people search for",
    tag="catalogue", query=SuggestionQuery, answers={200: SuggestionList},
)  # fmt: skip
def list_suggestions(actor: Actor, query: SuggestionQuery) -> SuggestionList:
    session = reading()
    return SuggestionList(items=[name_of(name) for name in search.suggest(session, query.q)] if query.q else popular.words(session))


@route(
    "GET", "/search/facets", open_to_everyone, summary="How many products of a search there are of each category, merchant and season",
    tag="catalogue", query=FacetQuery, answers={200: FacetsOut},
)  # fmt: skip
def count_facets(actor: Actor, query: FacetQuery) -> FacetsOut:
    """Each count is what there would be with that choice, beside all others that were made."""
    session = reading()
    categories = {found.id: found for found in queries.categories(session)}
    chosen = facets.Chosen(
        category_id=queries.get_category(session, query.category).id if query.category else None, shop=query.merchant or "",
        season=query.in_season,
    )  # fmt: skip
    found = search.find(session, query.q, queries.arrivals(session, point_of(actor, query)), limit=1, with_groups=True)
    counts = facets.counted(found.groups, chosen)
    return FacetsOut(
        products=counts.goods, is_lower_bound=found.count >= MOST_FOUND,
        categories=[
            Facet(value=categories[number].slug, name=name_of(categories[number]), products=goods)
            for number, goods in counts.categories if number in categories
        ],
        merchants=[Facet(value=one.code, name=name_of(one), products=one.goods) for one in counts.shops],
        in_season=counts.season, priced_by_weight=counts.weight,
    )  # fmt: skip
