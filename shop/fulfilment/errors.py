"""Why a step between packing and hand-over was refused."""

from __future__ import annotations

from shop.kernel.errors import ShopError, sentence


class NothingLeftToPack(ShopError):
    """Every line weighs nothing: that is an order that cannot be delivered, not a packed one."""

    code, status = "nothing_left_to_pack", 409
    message = sentence("Nothing of this order would be left. Say that you cannot deliver it instead; then all of the money goes back.")


class WeightFarOff(ShopError):
    """A slip of the hand or of the unit would give money back at once. The same weight, said again to be right, is taken."""

    code, status, field = "weight_far_off", 409, "grams"
    message = sentence("%(grams)s g is far from the %(ordered)s g that were ordered. Weigh again, or say that it is right.")


class NothingPacked(ShopError):
    code, status = "nothing_packed", 409
    message = sentence("Nothing of this delivery is packed yet.")


class StillOpen(ShopError):
    """People can still join it. Sending it now closes it for them, so somebody has to mean that."""

    code, status = "delivery_still_open", 409
    message = sentence("This delivery can still be ordered. Sending it now closes it for new orders.")


class DeliveryChanged(ShopError):
    """Somebody ordered, packed or took back packing between the question and the yes."""

    code, status = "delivery_changed", 409
    message = sentence("Something changed about this delivery just now. Nothing was sent; please look again.")


class AlreadyArrived(ShopError):
    code, status = "already_arrived", 409
    message = sentence("The pick-up point has received this delivery, so it cannot be brought back here.")


class NothingArrived(ShopError):
    code, status = "nothing_arrived", 409
    message = sentence("The shop has packed nothing of this delivery yet, so nothing can have arrived.")


class NothingCounted(NothingArrived):
    """Something was packed, and whoever counted found none of it."""

    message = sentence("No parcel is ticked, so nothing was changed.")


class NotInBatch(ShopError):
    """A number was named as missing that these batches never held: most likely a typing error."""

    code, status, field = "not_in_batch", 422, "missing"
    message = sentence("One of the missing orders is in none of these batches. Nothing was changed.")


class NotOverdue(ShopError):
    """Nothing is wrong with it yet, or it is not where the list said it was any more."""

    code, status = "not_overdue", 409
    message = sentence("This order is not overdue, or it has moved on in the meantime. Nothing was changed; please look at the list again.")
