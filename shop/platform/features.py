"""What a feature brings to the house. `shop.wiring` lists the features; owners, the worker, `flask verify`, the words of the record,
the inbox, OpenAPI and the demo city derive what they need from that list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import ModuleType
from typing import Any

import click
from flask import Blueprint
from sqlalchemy import ScalarSelect
from sqlalchemy.orm import InstrumentedAttribute, Session

from shop.kernel.db import Base
from shop.platform.audit import Tag
from shop.platform.collecting import Kind
from shop.platform.invariants import Invariant, ScriptedInvariant
from shop.platform.notices import Words
from shop.platform.partners import Known
from shop.platform.permissions import Permission
from shop.platform.retention import Keep
from shop.platform.slots import BelowGoods, BesideGoods, BesideLines, ConsolePage, OwnPage
from shop.platform.typed import Texts, Typed

Seed = Callable[[Session, Random], None]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature's list of what it brings; each is empty when it brings none.

    `pages`, `api` and `jobs` are modules whose decorators attach views to a blueprint that another module made, and register resources and
    handlers: naming a module here is what loads it.
    `ages` are moments in the past that its invariants name: `:too_old` with `{"too_old": timedelta(days=3)}`.
    `subjects` and `facts` are words for the record: what deeds are done to, and what the facts of an entry are called.
    `partners` tells whom outside it asks, in the reader's language.
    `beside_goods` is what it puts beside products, on cards and pages, `below_goods` what it says below one on its page, and `beside_lines`
    what it puts beside the lines of an order that its buyer looks at; `own_pages` are the pages that "Me" leads to,
    `life_pages` those of "Life", `console_pages` those of consoles.
    `on_shop_page` is what it has to say on the page of a shop, by the shop's id: markup, escaped; the empty text is nothing.
    `collectables` are the kinds of its things that lie at counters; the counter tells it there what becomes of each.
    `keeps` says of each table it owns how long its rows are kept, and why.
    `typed` says of each of its columns that holds what people type freely who else reads it.
    `read_along` is what its part of every page says of the reader, by name (shop/platform/along.py).
    `seed` adds the feature's part to the demo city, inside the transaction that writes it, when everything else is there.
    """

    name: str
    blueprints: tuple[Blueprint, ...] = ()
    pages: tuple[ModuleType, ...] = ()
    development_blueprints: tuple[Blueprint, ...] = ()
    api: tuple[ModuleType, ...] = ()
    jobs: tuple[ModuleType, ...] = ()
    commands: tuple[click.Command, ...] = ()
    invariants: tuple[Invariant | ScriptedInvariant, ...] = ()
    ages: Mapping[str, timedelta] | None = None
    owns: tuple[type[Base], ...] = ()
    keeps: Mapping[type[Base], Keep] | None = None
    typed: Texts | None = None
    done: type[Tag] | None = None
    subjects: Mapping[str, str] | None = None
    facts: Mapping[str, str] | None = None
    notices: Words | None = None
    permissions: type[Permission] | None = None
    partners: Callable[[Session], Sequence[Known]] | None = None
    beside_goods: BesideGoods | None = None
    below_goods: BelowGoods | None = None
    beside_lines: BesideLines | None = None
    own_pages: tuple[OwnPage, ...] = ()
    collectables: tuple[Kind, ...] = ()
    life_pages: tuple[OwnPage, ...] = ()
    console_pages: tuple[ConsolePage, ...] = ()
    read_along: Mapping[str, ScalarSelect[Any]] | None = None
    on_shop_page: Callable[[int], str] | None = None
    seed: Seed | None = None


class Registry:
    """The features of this house. Filled once, by `shop.wiring`; asked by whoever derives something from the list."""

    def __init__(self) -> None:
        self._features: tuple[Feature, ...] = ()

    def fill(self, features: tuple[Feature, ...]) -> None:
        """Raises `ValueError` when two features bring the same: one of them would be lost without a word."""
        for what, names in (
            ("name", [feature.name for feature in features]),
            ("table", [model.__name__ for feature in features for model in feature.owns]),
            ("invariant", [invariant.name for feature in features for invariant in feature.invariants]),
            ("age", [age for feature in features for age in feature.ages or ()]),
            ("kind of deed", [tag.value for feature in features for tag in feature.done or ()]),
            ("subject", [subject for feature in features for subject in feature.subjects or ()]),
            ("fact", [fact for feature in features for fact in feature.facts or ()]),
            ("notice", [kind for feature in features for kind in feature.notices or ()]),
            ("permission", [permission.value for feature in features for permission in feature.permissions or ()]),
            ("kind of things to collect", [kind.name for feature in features for kind in feature.collectables]),
            ("thing to read along", [name for feature in features for name in feature.read_along or ()]),
            ("command", [str(command.name) for feature in features for command in feature.commands]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"two features bring the {what} {', '.join(twice)}")
        self._features = features

    def all(self) -> tuple[Feature, ...]:
        """Raises `LookupError` before `shop.wiring` was loaded: whoever asks then would be told that there is nothing."""
        if not self._features:
            raise LookupError("the features are not known yet; import shop.wiring first")
        return self._features

    def owners(self) -> dict[str, str]:
        """Which feature writes a table: name of the model -> name of the feature."""
        return {model.__name__: feature.name for feature in self.all() for model in feature.owns}

    def partners(self, session: Session) -> list[Known]:
        """Whom the shop asks outside, in the reader's language."""
        return [known for feature in self.all() if feature.partners for known in feature.partners(session)]

    def keeps(self) -> dict[type[Base], Keep]:
        """How long the rows of each table are kept."""
        return {model: keep for feature in self.all() for model, keep in (feature.keeps or {}).items()}

    def typed(self) -> dict[InstrumentedAttribute[Any], Typed]:
        """Who reads what people type, column by column."""
        return {column: text for feature in self.all() for column, text in (feature.typed or {}).items()}

    def invariants(self) -> tuple[Invariant | ScriptedInvariant, ...]:
        """All promises about the rows, feature by feature."""
        return tuple(invariant for feature in self.all() for invariant in feature.invariants)

    def ages(self) -> dict[str, timedelta]:
        """The moments in the past that invariants name."""
        return {name: age for feature in self.all() for name, age in (feature.ages or {}).items()}

    def tags(self) -> dict[str, Tag]:
        """All kinds of deeds by their code, feature by feature."""
        return {tag.value: tag for feature in self.all() for tag in feature.done or ()}

    def subjects(self) -> dict[str, str]:
        """What deeds are done to, in words."""
        return {code: told for feature in self.all() for code, told in (feature.subjects or {}).items()}

    def facts(self) -> dict[str, str]:
        """What the facts of entries are called."""
        return {code: told for feature in self.all() for code, told in (feature.facts or {}).items()}

    def permissions(self) -> tuple[Permission, ...]:
        """All that staff may be permitted to do, feature by feature."""
        return tuple(permission for feature in self.all() for permission in feature.permissions or ())

    def beside_goods(self) -> tuple[BesideGoods, ...]:
        """What stands beside goods, feature by feature."""
        return tuple(feature.beside_goods for feature in self.all() if feature.beside_goods)

    def below_goods(self) -> tuple[BelowGoods, ...]:
        """What is said below a product on its page, feature by feature."""
        return tuple(feature.below_goods for feature in self.all() if feature.below_goods)

    def beside_lines(self) -> tuple[BesideLines, ...]:
        """What stands beside the lines of an order, feature by feature."""
        return tuple(feature.beside_lines for feature in self.all() if feature.beside_lines)

    def read_along(self) -> dict[str, ScalarSelect[Any]]:
        """What pages say of their reader, by name."""
        return {name: wanted for feature in self.all() for name, wanted in (feature.read_along or {}).items()}

    def own_pages(self) -> tuple[OwnPage, ...]:
        """The pages that "Me" leads to, besides those that it names itself."""
        return tuple(page for feature in self.all() for page in feature.own_pages)

    def collectables(self) -> dict[str, Kind]:
        """What can lie at a counter, by the name of its kind."""
        return {kind.name: kind for feature in self.all() for kind in feature.collectables}

    def on_shop_page(self) -> tuple[Callable[[int], str], ...]:
        """What is said on the page of a shop, feature by feature."""
        return tuple(feature.on_shop_page for feature in self.all() if feature.on_shop_page)

    def life_pages(self) -> tuple[OwnPage, ...]:
        """The pages that "Life" leads to, besides those that it names itself."""
        return tuple(page for feature in self.all() for page in feature.life_pages)

    def console_pages(self, console: str) -> tuple[ConsolePage, ...]:
        """The pages that a console leads to, besides its own."""
        return tuple(page for feature in self.all() for page in feature.console_pages if page.console == console)


registry = Registry()
