"""What merchants bring."""

from __future__ import annotations

from shop.models.merchants import Merchant
from shop.platform.features import Feature
from shop.platform.retention import Keep

FEATURE = Feature(
    name="merchants",
    owns=(Merchant,),
    keeps={Merchant: Keep("Orders, prices and money name it for good.")},
)
