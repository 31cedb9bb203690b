"""Our own columns: what each is called, in Chinese and English, and what belongs into it."""

from __future__ import annotations

from dataclasses import dataclass

from shop.imports.sheets import folded
from shop.kernel.errors import sentence


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `example` stands in the template; `aliases` are further names that it is known by."""

    key: str
    zh: str
    en: str
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    of_product: bool = False
    is_needed: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(folded(name) for name in (self.key, self.zh, self.en, *self.aliases))


CODE = Column(
    "code",
    "编码",
    "Code",
    sentence("Your own number for this size: letters, figures and hyphens. By it we know the goods again."),
    "orange-5",
    ("规格编码", "商家编码", "货号", "sku", "variant sku", "item code"),
    is_needed=True,
)
PRICE = Column(
    "price",
    "价格(元)",
    "Price (yuan)",
    sentence("In yuan, for example 12.80."),
    "24.90",
    ("价格", "售价", "单价", "售价(元)", "单价(元)", "price", "unit price", "price (cny)"),
    is_needed=True,
)
STOCK = Column(
    "stock",
    "库存",
    "Stock",
    sentence("How many lie on the shelf, counted: a whole number. Sold and not yet packed lies there too."),
    "60",
    ("库存数量", "数量", "quantity", "qty", "stock quantity", "on hand"),
)

COLUMNS: tuple[Column, ...] = (
    CODE,
    Column(
        "product",
        "商品",
        "Product",
        sentence("The same word in every size of one thing; left out, each row is a thing of its own."),
        "orange",
        ("商品编码", "商品货号", "product code", "parent", "spu"),
        of_product=True,
    ),
    Column(
        "name_zh",
        "商品名称",
        "Name (Chinese)",
        sentence("What it is called, up to 80 characters."),
        "资中血橙",
        ("名称", "品名", "中文名称", "name", "title", "product name"),
        of_product=True,
        is_needed=True,
    ),
    Column(
        "name_en",
        "英文名称",
        "Name (English)",
        sentence("Left out, the Chinese name stands there."),
        "Zizhong blood orange",
        ("english name", "name en"),
        of_product=True,
    ),
    Column(
        "category",
        "分类",
        "Category",
        sentence("One of our categories, by its name."),
        "水果",
        ("类目", "商品分类", "category name"),
        of_product=True,
        is_needed=True,
    ),
    Column(
        "unit_zh",
        "规格",
        "Size (Chinese)",
        sentence("The selling unit as people say it, for example 5斤/箱 or 斤."),
        "5斤/箱",
        ("规格名称", "销售单位", "单位", "size", "unit", "unit chinese"),
        is_needed=True,
    ),
    Column(
        "unit_en",
        "英文规格",
        "Size (English)",
        sentence("Left out, the Chinese size stands there."),
        "2.5 kg box",
        ("unit english", "size en"),
    ),
    PRICE,
    Column(
        "grams",
        "净重(克)",
        "Net weight (g)",
        sentence("Of one selling unit: 850, 850 g, 1.7斤 or 0.85 kg. Sold by weight: what one unit weighs."),
        "2500",
        ("净重", "重量", "重量(克)", "net weight", "weight (g)", "grams"),
        is_needed=True,
    ),
    STOCK,
    Column(
        "state",
        "状态",
        "State",
        sentence("On sale, off sale or draft. New goods without it are drafts, which nobody sees yet."),
        "上架",
        ("上架状态", "status", "published"),
        of_product=True,
    ),
    Column(
        "sold_by",
        "销售方式",
        "Sold by",
        sentence("Pack, piece, weight, or weighed piece. New goods without it are sold by the pack."),
        "按份",
        ("计价方式", "selling method"),
        of_product=True,
    ),
    Column(
        "storage",
        "储存",
        "Storage",
        sentence("Room temperature, chilled or frozen."),
        "常温",
        ("储存方式", "储藏", "storage class"),
        of_product=True,
    ),
    Column(
        "shelf_life",
        "保质期(天)",
        "Shelf life (days)",
        sentence("In whole days."),
        "20",
        ("保质期", "shelf life"),
        of_product=True,
        is_needed=True,
    ),
    Column(
        "origin_zh",
        "产地",
        "Origin (Chinese)",
        sentence("Where it comes from."),
        "资中县",
        ("origin", "原产地"),
        of_product=True,
        is_needed=True,
    ),
    Column(
        "origin_en",
        "英文产地",
        "Origin (English)",
        sentence("Left out, the Chinese place stands there."),
        "Zizhong",
        ("origin en",),
        of_product=True,
    ),
    Column(
        "season",
        "应季月份",
        "Season (months)",
        sentence("For example 12-5 for December to May; left out: all year."),
        "12-5",
        ("season", "季节"),
        of_product=True,
    ),
    Column("is_agricultural", "农产品", "Farm produce", sentence("Yes or no."), "是", ("farm produce", "agricultural"), of_product=True),
    Column(
        "is_returnable",
        "七天无理由",
        "7-day return",
        sentence("Yes or no; fresh goods: no."),
        "否",
        ("七天无理由退货", "returnable"),
        of_product=True,
    ),
    Column(
        "allergens",
        "过敏原",
        "Allergens",
        sentence("Eggs, fish, milk, peanut, sesame, soya, wheat; several with a stroke or a semicolon between them."),
        "",
        ("allergens",),
        of_product=True,
    ),
    Column(
        "description_zh",
        "描述",
        "Description (Chinese)",
        sentence("A few plain sentences, up to 2,000 characters."),
        "果肉带血色，汁多味甜。",
        ("商品描述", "description"),
        of_product=True,
    ),
    Column(
        "description_en",
        "英文描述",
        "Description (English)",
        sentence("The same in English."),
        "Red-fleshed, juicy and sweet.",
        ("description en",),
        of_product=True,
    ),
    Column(
        "barcode",
        "条形码",
        "Barcode",
        sentence("8, 12, 13 or 14 figures, as text: a spreadsheet makes 6.9E+12 of long numbers."),
        "6901234567892",
        ("商品条码", "条码", "ean", "gtin", "upc"),
    ),
    Column(
        "minimum",
        "起购数量",
        "Minimum order",
        sentence("How many one must take at least; left out: 1."),
        "1",
        ("起购", "起订量", "minimum"),
    ),
    Column("multiple", "购买倍数", "In steps of", sentence("Taken only in such steps; left out: 1."), "1", ("倍数", "multiple")),
    Column(
        "currency",
        "币种",
        "Currency",
        sentence("We sell in yuan (CNY); a row in another currency is refused."),
        "CNY",
        ("货币", "currency code"),
        of_product=True,
    ),
    Column(
        "pictures",
        "图片",
        "Pictures",
        sentence("Noted and not fetched: upload pictures by hand."),
        "",
        ("图片地址", "images", "image"),
        of_product=True,
    ),
)
"""All columns of a sheet of goods, in the order of the template."""

FIGURES = (CODE, PRICE, STOCK)
"""The columns of a sheet of prices and stock."""

BY_KEY = {column.key: column for column in COLUMNS}
BY_NAME = {name: column for column in reversed(COLUMNS) for name in column.names}
OF_PRODUCT = frozenset(column.key for column in COLUMNS if column.of_product)

OTHER_MONEY = {
    "usd": "USD", "$": "USD", "us$": "USD", "美元": "USD", "eur": "EUR", "€": "EUR", "欧元": "EUR", "gbp": "GBP", "£": "GBP", "hkd": "HKD",
    "hk$": "HKD", "港币": "HKD", "jpy": "JPY", "日元": "JPY", "twd": "TWD", "台币": "TWD", "krw": "KRW", "rub": "RUB", "thb": "THB",
}  # fmt: skip
OWN_MONEY = frozenset({"cny", "rmb", "元", "yuan", "人民币", "¥", "￥"})


def column_of(head: str) -> Column | None:
    """The column that a head names; a weight in kilograms is none of ours, and a price in other money is not taken for yuan."""
    return BY_NAME.get(folded(head))


def money_of(head: str) -> str:
    """The other currency that the head of a price names, `售价(USD)`; empty for none, and for heads of other columns."""
    plain = folded(head)
    base, bracket, inside = plain.partition("(")
    named = OTHER_MONEY.get(inside.rstrip(")")) if bracket else None
    if named is None:
        for word, currency in OTHER_MONEY.items():
            for known in PRICE.names:
                if plain in (known + word, word + known):
                    return currency
        return ""
    return named if base in {name.partition("(")[0] for name in PRICE.names} else ""
