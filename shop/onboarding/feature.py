"""What onboarding brings."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.models.onboarding import Application, ApplicationMessage, ApplicationPaper, Licence, PaperSlice, Suspension
from shop.onboarding import api, desk, jobs, papers, views
from shop.onboarding.invariants import INVARIANTS
from shop.onboarding.notices import NOTICES
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.seeding import seed
from shop.onboarding.tags import FACTS, SUBJECTS, Done
from shop.platform.features import Feature
from shop.platform.retention import Keep
from shop.platform.slots import ConsolePage, OwnPage
from shop.platform.typed import OUR_STAFF, YOU, Reader, Typed

FEATURE = Feature(
    name="onboarding",
    blueprints=(views.bp,),
    pages=(papers, desk),
    api=(api,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(Application, ApplicationPaper, PaperSlice, ApplicationMessage, Licence, Suspension),
    keeps={
        Application: Keep(
            "Drafts 30 days after the last change, declined and withdrawn ones a year; approved ones as long as the shop.", elsewhere=True
        ),
        ApplicationPaper: Keep("As long as its application: which papers there were."),
        PaperSlice: Keep(
            "Until 30 days after an application was declined or taken back, identity papers also after it was approved; other papers of a"
            " shop as long as the shop.",
            elsewhere=True,
        ),
        ApplicationMessage: Keep("As long as its application."),
        Licence: Keep("As long as the shop."),
        Suspension: Keep("For good: when a shop could not sell, and who decided that."),
    },
    typed={
        Application.person: Typed(what=sentence("Who answers for a shop that applies"), by=YOU, partly=(Reader.STAFF,)),
        Application.reason: Typed(
            what=sentence("Why an application is declined; the applicant reads it"), by=OUR_STAFF, readers=(Reader.STAFF,)
        ),
        ApplicationMessage.text: Typed(
            what=sentence("Questions about an application, and the answers"),
            by=sentence("Applicants and our staff"),
            readers=(Reader.STAFF,),
        ),
        Suspension.reason: Typed(what=sentence("Why a shop is suspended"), by=OUR_STAFF, readers=(Reader.STAFF,)),
        Suspension.lifted_reason: Typed(what=sentence("Why a shop sells again"), by=OUR_STAFF, readers=(Reader.STAFF,)),
    },
    done=Done,
    subjects=SUBJECTS,
    facts=FACTS,
    notices=NOTICES,
    permissions=OnboardingPermission,
    on_shop_page=views.on_shop_page,
    own_pages=(
        OwnPage(sentence("Sell on Linli"), "onboarding.overview", "store", sentence("For shops, stalls, co-operatives and farmers")),
    ),
    console_pages=(
        ConsolePage("admin", sentence("Applications"), "onboarding.desk", "edit"),
        ConsolePage("admin", sentence("Shops"), "onboarding.shops", "store"),
    ),
    seed=seed,
)
