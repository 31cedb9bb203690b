"""What the bulletin brings."""

from __future__ import annotations

from datetime import timedelta

from shop.bulletin import api, desk, jobs, views
from shop.bulletin.invariants import AGES, INVARIANTS, READERS_KEPT
from shop.bulletin.notices import NOTICES
from shop.bulletin.permissions import BulletinPermission
from shop.bulletin.queries import is_over_and_done
from shop.bulletin.seeding import seed
from shop.bulletin.tags import FACTS, SUBJECTS, Done
from shop.kernel.errors import sentence
from shop.models.bulletin import BulletinNotice, BulletinReader, BulletinVersion
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep
from shop.platform.slots import ConsolePage, OwnPage
from shop.platform.typed import AT_WORK, Reader, Typed

FOUR_YEARS = timedelta(days=4 * 366)

TITLE = sentence("Community bulletin")

FEATURE = Feature(
    name="bulletin",
    blueprints=(views.bp,),
    pages=(desk,),
    api=(api,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    ages=AGES,
    owns=(BulletinNotice, BulletinVersion, BulletinReader),
    keeps={
        BulletinNotice: Keep(
            "Four years, longer while it stands there or waits: what was announced, by whom, and who published it.",
            (
                Forget(
                    FOUR_YEARS, BulletinNotice.created_at, is_over_and_done, first=(BulletinReader.notice_id, BulletinVersion.notice_id)
                ),
            ),
        ),
        BulletinVersion: Keep("As long as its notice."),
        BulletinReader: Keep(
            "400 days: longer than a notice can stand, so that nobody is counted twice.", (Forget(READERS_KEPT, BulletinReader.at),)
        ),
    },
    typed={
        BulletinVersion.reason: Typed(
            what=sentence("Why a notice of the bulletin is refused or taken down"), by=AT_WORK, readers=(Reader.POINT, Reader.STAFF)
        ),
    },
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
    notices=NOTICES,
    permissions=BulletinPermission,
    life_pages=(OwnPage(TITLE, "bulletin.index", "bell", sentence("Notices of the community and the city")),),
    console_pages=tuple(ConsolePage(console, TITLE, "bulletin.desk", "bell") for console in ("station", "admin")),
    seed=seed,
)
