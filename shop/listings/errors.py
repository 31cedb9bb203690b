"""What is refused around pictures, drafts and what is said of goods."""

from __future__ import annotations

from collections.abc import Mapping

from shop.kernel.errors import Invalid, ShopError, sentence


class NoPicture(Invalid):
    code, field = "no_picture", "picture"
    message = sentence("Please choose a picture first.")


class TooManyPictures(ShopError):
    code, status, field = "too_many_pictures", 409, "picture"
    message = sentence("A product has at most %(most)s pictures. Remove one first.")


class ListingIncomplete(Invalid):
    """Fields are missing or not understood; `refused` says by field what is wrong. Nothing was published."""

    code = "listing_incomplete"
    message = sentence("Not yet: please look at the fields that are marked. What you typed is kept.")

    def __init__(self, refused: Mapping[str, ShopError]) -> None:
        self.refused = dict(refused)
        super().__init__(next(iter(self.refused), None))


class FieldMissing(Invalid):
    code = "field_missing"
    message = sentence("This is needed before it can be sold.")


class NotOneOfThese(Invalid):
    code = "not_one_of_these"
    message = sentence("Please choose one of the list.")


class NumberNotUnderstood(Invalid):
    code = "number_not_understood"
    message = sentence("Please enter a whole number from %(least)s to %(most)s.")


class PriceNotUnderstood(Invalid):
    code = "listing_price_not_understood"
    message = sentence("Please enter a price in yuan, for example 12.80.")


class WeightNotUnderstood(Invalid):
    code = "listing_weight_not_understood"
    message = sentence("Please enter a weight such as 500 g, 1.7 jin or 0.85 kg.")


class SeasonIncomplete(Invalid):
    code = "season_incomplete"
    message = sentence("A season has a first and a last month; leave both empty for all year.")


class StepsDoNotFit(Invalid):
    code = "steps_do_not_fit"
    message = sentence("The minimum must be one of the steps: with steps of 5 it is 5, 10, 15 …")


class BarcodeNotUnderstood(Invalid):
    code = "barcode_not_understood"
    message = sentence("A barcode has 8, 12, 13 or 14 figures.")


class MomentNotUnderstood(Invalid):
    code, field = "moment_not_understood", "publish_at"
    message = sentence("Please choose a day and a time in the future, within a year.")


class AlreadyPublished(ShopError):
    code, status = "already_published", 409
    message = sentence("This is no draft any more.")


class NothingToSell(ShopError):
    code, status = "nothing_to_sell", 409
    message = sentence("It has no size with a price yet, so nobody could buy it.")


class ShopNotInBusiness(ShopError):
    code, status = "shop_not_in_business", 409
    message = sentence("This shop is not in business at the moment; nothing can be put on sale.")


class ChangedMeanwhile(ShopError):
    code, status = "listing_changed_meanwhile", 409
    message = sentence("Somebody changed this meanwhile. What you typed is still here; look at what is listed now and save again.")


class LastSize(ShopError):
    code, status = "last_size", 409
    message = sentence("This is the last size on sale. Take the product off sale instead.")


class TooManySizes(ShopError):
    code, status = "too_many_sizes", 409
    message = sentence("A product has at most %(most)s sizes.")


class TooManyDrafts(ShopError):
    code, status = "too_many_drafts", 409
    message = sentence("This shop has %(open)s unfinished drafts. Publish or throw away some of them first.")


class CellChangedMeanwhile(ShopError):
    code, status = "cell_changed_meanwhile", 409
    message = sentence("Somebody wrote %(now)s here meanwhile.")


class ToldTwice(ShopError):
    code, status = "told_twice", 422
    message = sentence("Another size of the same product says another name.")


class GridRefused(ShopError):
    """Of all cells none was saved; `refused` says by column and code what is wrong with which."""

    code, status = "grid_refused", 409
    message = sentence("Nothing was saved yet: please look at the cells that are marked.")

    def __init__(self, refused: Mapping[tuple[str, str], ShopError]) -> None:
        self.refused = dict(refused)
        super().__init__()


class GridDoubtful(GridRefused):
    """Likely slips: all is saved when it is told again by somebody who is sure."""

    code = "grid_doubtful"
    message = sentence("Nothing was saved yet: are these right?")
