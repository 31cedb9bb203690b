"""What settlement brings."""

from __future__ import annotations

from shop.platform.features import Feature
from shop.settlement import commands, jobs, views
from shop.settlement.notices import NOTICES
from shop.settlement.partners import card_provider
from shop.settlement.permissions import SettlementPermission
from shop.settlement.tags import SUBJECTS, Done

FEATURE = Feature(
    name="settlement",
    blueprints=(views.bp,),
    jobs=(jobs,),
    commands=(commands.group,),
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=SettlementPermission,
    partners=card_provider,
)
