"""What checkout brings."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.checkout import views
from shop.checkout.tags import Done
from shop.models.checkout import Quote
from shop.models.orders import Purchase
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep

FEATURE = Feature(
    name="checkout",
    blueprints=(views.bp,),
    owns=(Quote,),
    keeps={
        Quote: Keep(
            "A month after it ran out; one that was bought stays with its purchase, as what was seen and agreed to.",
            (
                Forget(timedelta(days=30), Quote.created_at, lambda: ~sa.exists().where(Purchase.quote_id == Quote.id)),
            ),
        ),
    },
    done=Done,
)
