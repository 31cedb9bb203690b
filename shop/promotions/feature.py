"""What promotions bring."""

from __future__ import annotations

from shop.models.promotions import PriceOffer
from shop.platform.features import Feature
from shop.platform.retention import Keep
from shop.promotions import commands
from shop.promotions.invariants import INVARIANTS
from shop.promotions.tags import SUBJECTS, Done

FEATURE = Feature(
    name="promotions",
    commands=(commands.group,),
    invariants=INVARIANTS,
    owns=(PriceOffer,),
    keeps={PriceOffer: Keep("Discounts of lines name it: what was offered, when, and who paid for it.")},
    done=Done,
    subjects=SUBJECTS,
)
