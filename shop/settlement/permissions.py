"""What staff may be permitted to do with money that is owed or goes back."""

from __future__ import annotations

from shop.platform.permissions import Permission


class SettlementPermission(Permission):
    STATEMENT_READ = "settlement:statement:read", "See what is owed to a shop, and the orders that brought it"
    REFUND_READ = "orders:refund:read", "See money that has not gone back, and what waits for another's yes"
    REFUND_GIVE = "orders:refund:give", "Give an amount of an order back, alone up to the limit"
    REFUND_PROPOSE = "orders:refund:propose", "Ask that money be given back or transferred, which somebody else agrees to"
    REFUND_DECIDE = "orders:refund:decide", "Agree to what somebody else asked for, or refuse it"
    REFUND_SEND_AGAIN = "orders:refund:send_again", "Send money that did not arrive once more, to the card or into the wallet"
    REFUND_COVER = "orders:refund:cover", "Take from a wallet what the provider gave back of its top-up"
