"""What the wallet brings."""

from __future__ import annotations

from shop.models.wallet import ClosingBalance, LedgerAccount, Transfer, Wallet
from shop.platform.features import Feature
from shop.platform.retention import LAW, Keep
from shop.wallet import commands, jobs, views
from shop.wallet.invariants import INVARIANTS
from shop.wallet.notices import NOTICES
from shop.wallet.tags import Done

FEATURE = Feature(
    name="wallet",
    blueprints=(views.bp,),
    jobs=(jobs,),
    commands=(commands.group,),
    invariants=INVARIANTS,
    owns=(LedgerAccount, Transfer, Wallet, ClosingBalance),
    keeps={
        LedgerAccount: Keep(LAW),
        Transfer: Keep(LAW),
        Wallet: Keep(LAW),
        ClosingBalance: Keep("One per account and day: what balances are summed from."),
    },
    done=Done,
    notices=NOTICES,
)
