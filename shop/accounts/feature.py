"""What accounts bring."""

from __future__ import annotations

from shop.accounts import browser, jobs
from shop.accounts.notices import NOTICES
from shop.accounts.permissions import AccountPermission
from shop.accounts.tags import SUBJECTS, Done
from shop.accounts.views import authenticator, me, notices, preferences
from shop.kernel.errors import sentence
from shop.models.accounts import RoleGrant, SignInCode, User, UserSession
from shop.platform.features import Feature
from shop.platform.retention import Keep
from shop.platform.typed import YOU, Reader, Typed

FEATURE = Feature(
    name="accounts",
    blueprints=(me.bp, preferences.bp, notices.bp, authenticator.bp),
    jobs=(jobs,),
    pages=(browser,),
    owns=(User, RoleGrant, SignInCode, UserSession),
    keeps={
        User: Keep("As long as the account: payments and orders name their person."),
        RoleGrant: Keep("Who could do what, and when: read with the audit trail, which is never forgotten."),
        SignInCode: Keep("Two days: used up or too old after five minutes, counted against guessing for a day.", elsewhere=True),
        UserSession: Keep("A month after its end, so that people see which devices were signed in.", elsewhere=True),
    },
    typed={
        User.display_name: Typed(what=sentence("Your name"), by=YOU, partly=(Reader.SHOP, Reader.POINT, Reader.STAFF)),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=AccountPermission,
)
