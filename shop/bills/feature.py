"""What bills bring."""

from __future__ import annotations

from datetime import timedelta

from shop.bills import jobs, paying, views
from shop.bills.invariants import INVARIANTS
from shop.bills.notices import NOTICES
from shop.bills.partners import billers
from shop.bills.permissions import BillPermission
from shop.bills.tags import SUBJECTS, Done
from shop.kernel.errors import sentence
from shop.models.bills import Bill, BillAccount, BillAttempt, Biller, BillLookUp, BillPayment, BillPaymentItem
from shop.platform.features import Feature
from shop.platform.retention import LAW, PLACES, Forget, Keep
from shop.platform.typed import YOU, Typed

FEATURE = Feature(
    name="bills",
    blueprints=(views.bp,),
    pages=(paying,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(Biller, BillAccount, BillLookUp, Bill, BillPayment, BillPaymentItem, BillAttempt),
    keeps={
        Biller: Keep(PLACES),
        BillAccount: Keep("Until its person takes it away; a payment that names it keeps its own copy of the number."),
        BillLookUp: Keep(
            "A month: who asks too often is told so by the day, and a question is answered within minutes.",
            (Forget(timedelta(days=30), BillLookUp.asked_at),),
        ),
        Bill: Keep(LAW),
        BillPayment: Keep(LAW),
        BillPaymentItem: Keep(LAW),
        BillAttempt: Keep("That a bill was sent once is proved by every call to its biller."),
    },
    typed={
        BillAccount.label: Typed(what=sentence("What you call a bill account"), by=YOU),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=BillPermission,
    partners=billers,
)
