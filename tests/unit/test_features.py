"""What features bring, put together; and what two of them may not both bring."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shop import wiring
from shop.kernel.errors import sentence
from shop.platform.audit import Tag
from shop.platform.features import Feature, Registry, registry
from shop.platform.invariants import Invariant


class Done(Tag):
    LENT = "ladder.lent", sentence("Ladder lent")
    ASKED = "ladder.asked", sentence("Ladder asked for"), True


PROMISE = Invariant("ladders.come_back", "Every ladder comes back.", "SELECT 1 WHERE 1 = 0")


def of(*features: Feature) -> Registry:
    filled = Registry()
    filled.fill(features)
    return filled


def test_what_is_derived_keeps_the_order_of_the_features() -> None:
    ladders = Feature(name="ladders", invariants=(PROMISE,), done=Done, subjects={"ladder": "Ladder"}, facts={"rungs": "Rungs"})
    saws = Feature(name="saws", ages={"rusty": timedelta(days=9)})
    both = of(ladders, saws)
    assert both.invariants() == (PROMISE,)
    assert both.tags() == {"ladder.lent": Done.LENT, "ladder.asked": Done.ASKED}
    assert (both.subjects(), both.facts(), both.ages()) == ({"ladder": "Ladder"}, {"rungs": "Rungs"}, {"rusty": timedelta(days=9)})


def test_a_tag_is_its_code_and_knows_its_words_and_whether_it_is_about_a_person() -> None:
    assert Done.LENT == "ladder.lent"
    assert (Done.LENT.words, Done.LENT.is_personal, Done.ASKED.is_personal) == ("Ladder lent", False, True)
    assert Done.of("ladder.asked") is Done.ASKED
    with pytest.raises(KeyError):
        Done.of("ladder.broken")


@pytest.mark.parametrize(
    ("brought", "what"),
    [
        ({}, "name"), ({"invariants": (PROMISE,)}, "invariant"), ({"done": Done}, "kind of deed"), ({"subjects": {"a": "A"}}, "subject"),
        ({"facts": {"a": "A"}}, "fact"), ({"notices": {"a": ("A", "B")}}, "notice"), ({"ages": {"a": timedelta(1)}}, "age"),
    ],
)  # fmt: skip
def test_two_features_never_bring_the_same(brought: dict[str, object], what: str) -> None:
    names = ("ladders", "ladders") if what == "name" else ("ladders", "saws")
    with pytest.raises(ValueError, match=f"two features bring the {what} "):
        of(*(Feature(name=name, **brought) for name in names))  # type: ignore[arg-type]


def test_who_asks_before_the_wiring_is_told_so() -> None:
    with pytest.raises(LookupError, match="wiring"):
        Registry().invariants()


def test_the_shop_is_the_list_of_its_features() -> None:
    assert registry.all() == wiring.FEATURES
    assert len(registry.invariants()) > 100
