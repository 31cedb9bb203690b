"""What the catalogue brings."""

from __future__ import annotations

from datetime import timedelta

from shop.catalog import commands, searching, views
from shop.catalog.permissions import CatalogPermission
from shop.catalog.tags import FACTS, SUBJECTS, Done
from shop.models.catalog import Category, Listing, PriceChange, Product, ProductImage, SearchTerm, SearchWord, Variant
from shop.platform.features import Feature
from shop.platform.retention import PLACES, Forget, Keep

FEATURE = Feature(
    name="catalog",
    blueprints=(views.bp,),
    pages=(searching,),
    commands=(commands.group,),
    owns=(Category, Product, Variant, PriceChange, ProductImage, Listing, SearchTerm, SearchWord),
    keeps={
        Category: Keep(PLACES),
        Product: Keep("Lines of orders name it; taken off sale it is shown to nobody."),
        Variant: Keep("Lines of orders and stock name it."),
        PriceChange: Keep("What a struck-through price is proved by, and what an offer cost at the time of a complaint."),
        ProductImage: Keep("As long as its product."),
        Listing: Keep("Made from products and made again at any time."),
        SearchTerm: Keep("Made from products and made again at any time."),
        SearchWord: Keep("What is shown is counted over seven days.", (Forget(timedelta(days=8), SearchWord.created_at),)),
    },
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
    permissions=CatalogPermission,
)
