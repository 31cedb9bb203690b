"""What payments bring."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.errors import sentence
from shop.models.payments import EventState, Payment, ProviderEvent, ProviderMovement, Refund, RefundProposal
from shop.payments.invariants import INVARIANTS
from shop.payments.notices import NOTICES
from shop.payments.tags import SUBJECTS, Done
from shop.platform.features import Feature
from shop.platform.retention import LAW, Forget, Keep
from shop.platform.typed import AT_WORK, OUR_STAFF, Reader, Typed

FEATURE = Feature(
    name="payments",
    invariants=INVARIANTS,
    owns=(Payment, Refund, RefundProposal, ProviderEvent, ProviderMovement),
    keeps={
        Payment: Keep(LAW),
        Refund: Keep(LAW),
        RefundProposal: Keep(LAW),
        ProviderEvent: Keep(
            "Half a year once it was looked into: the provider repeats itself for days, disputes name payments and not events.",
            (Forget(timedelta(days=180), ProviderEvent.received_at, lambda: ProviderEvent.state == EventState.DONE),),
        ),
        ProviderMovement: Keep(LAW),
    },
    typed={
        Refund.reason: Typed(what=sentence("Why money goes back"), by=AT_WORK, readers=(Reader.STAFF,)),
        RefundProposal.reason: Typed(what=sentence("Why money should go back"), by=OUR_STAFF, readers=(Reader.STAFF,)),
        RefundProposal.reference: Typed(what=sentence("The number of a bank transfer"), by=OUR_STAFF, readers=(Reader.STAFF,)),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
)
