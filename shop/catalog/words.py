"""What a product's page says in words: what the label says, what goods sold by weight cost, who sells."""

from __future__ import annotations

from typing import NamedTuple

from shop.catalog.queries import ProductPage, VariantFacts
from shop.kernel.money import Money
from shop.kernel.units import WEIGHTS, counter_of
from shop.kernel.weight import price_of_weight
from shop.models.catalog import PricedBy
from shop.models.merchants import Merchant
from shop.platform.language import gettext as _
from shop.platform.language import grams, name_of, ngettext, reader_locale

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


class Weighing(NamedTuple):
    """One unit of goods priced by weight: its name, what is said of its weight, the most it costs, and what a lighter one would."""

    unit: str
    about: str
    most: Money
    lighter: str
    then: Money


def weighing(page: ProductPage, variant: VariantFacts | None) -> Weighing | None:
    """The price of goods sold by weight, with an example of one that turns out a tenth lighter; None for packs."""
    if variant is None or page.product.priced_by is not PricedBy.WEIGHT:
        return None
    lighter = max(1, variant.net_weight_grams * 9 // 10)
    then = price_of_weight(variant.price, lighter, variant.net_weight_grams)
    unit = counter_of(name_of(variant, "label")) or _("piece")
    nominal = grams(variant.net_weight_grams)
    if unit in WEIGHTS:
        about = _("1 %(unit)s is %(nominal)s. We weigh it when it is packed.", unit=unit, nominal=nominal)
    else:
        about = _("One %(unit)s weighs about %(nominal)s. We weigh it when it is packed.", unit=unit, nominal=nominal)
    return Weighing(unit, about, variant.price, grams(lighter), then)


def label_facts(page: ProductPage) -> list[tuple[str, str]]:
    """What a label must say: origin, weight, storage, shelf life, allergens, season, return policy."""
    product = page.product
    storage = {"ambient": _("At room temperature"), "chilled": _("Chilled, 0 to 4 °C"), "frozen": _("Frozen, −18 °C or colder")}
    known_allergens = {
        "egg": _("Eggs"), "fish": _("Fish"), "milk": _("Milk"), "peanut": _("Peanuts"), "sesame": _("Sesame"), "soy": _("Soya"),
        "wheat": _("Wheat (gluten)"),
    }  # fmt: skip
    rows = [(_("Origin"), name_of(product, "origin"))]
    rows += [(_("Weight"), weights_of(page))] if page.variants else []
    rows += [(_("Storage"), storage[product.storage.value]), (_("Shelf life"), shelf_life(product.shelf_life_days))]
    if product.season_months:
        rows.append((_("Season"), season(product.season_months)))
    if product.allergens:
        comma = "、" if reader_locale() == "zh" else ", "
        rows.append((_("Allergens"), comma.join(known_allergens.get(code, code) for code in product.allergens.split("|"))))
    rows.append((_("Return policy"), _("Within 7 days, unopened") if product.is_returnable_within_7_days else _(
        "Fresh or perishable: no return without reason. Spoiled or wrong goods are always made good.")))  # fmt: skip
    return rows


def weights_of(page: ProductPage) -> str:
    """The net weight of each variant; about, where it is found by weighing."""
    by_weight = page.product.priced_by is PricedBy.WEIGHT
    weights = [grams(variant.net_weight_grams) for variant in page.variants]
    return " / ".join(_("about %(weight)s", weight=weight) if by_weight else weight for weight in dict.fromkeys(weights))


def shelf_life(days: int) -> str:
    """In years or months when it is long: nobody counts to 1,095."""
    if days >= 365 and days % 365 == 0:
        return ngettext("%(num)s year", "%(num)s years", days // 365)
    if days >= 90 and days % 30 == 0:
        return _("%(months)s months", months=days // 30)
    return ngettext("%(num)s day", "%(num)s days", days)


def season(months: str) -> str:
    """`12-5` as people say it: 12月至次年5月; December to May."""
    first, last = (int(month) for month in months.split("-"))
    if reader_locale() == "zh":
        return f"{first}月至{'次年' if last < first else ''}{last}月"
    return f"{MONTHS[first - 1]} to {MONTHS[last - 1]}"


def kind_of(merchant: Merchant) -> str:
    """What kind of seller somebody is."""
    kinds = {
        "shop": _("Local shop"), "mall": _("Department store"), "market_hall": _("Market hall"), "co_op": _("Growers' co-operative"),
        "wholesaler": _("Wholesaler"), "service_provider": _("Service provider"),
    }  # fmt: skip
    return kinds[merchant.kind.value]
