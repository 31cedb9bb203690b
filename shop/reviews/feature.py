"""What reviews bring."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.errors import sentence
from shop.models.reviews import ProductRating, Review, ReviewReport, ReviewVersion
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep
from shop.platform.slots import ConsolePage, OwnPage
from shop.platform.typed import OUR_STAFF, YOU, Reader, Typed
from shop.reviews import api, desk, views
from shop.reviews.invariants import INVARIANTS
from shop.reviews.notices import NOTICES
from shop.reviews.permissions import ReviewPermission
from shop.reviews.pieces import STARS, below, beside_lines
from shop.reviews.queries import is_decided
from shop.reviews.seeding import seed
from shop.reviews.tags import SUBJECTS, Done

THREE_YEARS = timedelta(days=3 * 366)

FEATURE = Feature(
    name="reviews",
    blueprints=(views.bp,),
    pages=(desk,),
    api=(api,),
    invariants=INVARIANTS,
    owns=(Review, ReviewVersion, ReviewReport, ProductRating),
    keeps={
        Review: Keep("For good, as the order it is about: the law on e-commerce lets no shop delete what buyers say, nor us."),
        ReviewVersion: Keep("Three years: what stood there when somebody complained.", (Forget(THREE_YEARS, ReviewVersion.at),)),
        ReviewReport: Keep(
            "Three years, longer while it waits: who reported what, and that it was decided.",
            (Forget(THREE_YEARS, ReviewReport.reported_at, is_decided),),
        ),
        ProductRating: Keep("As long as its product: it is counted from its reviews."),
    },
    typed={
        ReviewVersion.text: Typed(what=sentence("What a review or an answer said before it was changed"), by=YOU, readers=(Reader.STAFF,)),
        ReviewReport.words: Typed(what=sentence("Why you report a review"), by=YOU, readers=(Reader.STAFF,)),
        Review.hidden_reason: Typed(what=sentence("Why a review is hidden"), by=OUR_STAFF, readers=(Reader.BUYER, Reader.STAFF)),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=ReviewPermission,
    beside_goods=STARS,
    below_goods=below,
    beside_lines=beside_lines,
    own_pages=(OwnPage(sentence("My reviews"), "reviews.mine", "star"),),
    console_pages=(
        ConsolePage("merchant", sentence("Reviews"), "reviews.of_shop", "star"),
        ConsolePage("admin", sentence("Reported reviews"), "reviews.queue", "star"),
    ),
    seed=seed,
)
