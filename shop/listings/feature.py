"""What listings bring."""

from __future__ import annotations

from datetime import timedelta

from shop.listings import api, jobs
from shop.listings.invariants import INVARIANTS
from shop.listings.tags import FACTS, SUBJECTS, Done
from shop.models.listings import ListingDraft, PictureUpload
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep

FEATURE = Feature(
    name="listings",
    api=(api,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(PictureUpload, ListingDraft),
    keeps={
        PictureUpload: Keep(
            "Its bytes until pictures are made of it; 7 days that it was sent, and why it was refused.",
            (Forget(timedelta(days=7), PictureUpload.created_at),),
        ),
        ListingDraft: Keep("Until its goods are published or thrown away."),
    },
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
)
