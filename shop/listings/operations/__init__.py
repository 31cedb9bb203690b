"""Pictures of goods; typing, changing and publishing them."""

from shop.listings.operations.drafts import complete_draft, drop_draft, new_draft, publish, publish_due, retype_draft, save_draft, schedule
from shop.listings.operations.editing import add_size, change_listing, version_of, withdraw_size
from shop.listings.operations.grid import COLUMNS, Cell, save_grid, written
from shop.listings.operations.pictures import (
    LONGEST_ALT,
    MAKE,
    add_picture,
    bring_pictures,
    refuse_picture,
    remove_picture,
    say_of_pictures,
)

__all__ = [
    "COLUMNS",
    "LONGEST_ALT",
    "MAKE",
    "Cell",
    "add_picture",
    "add_size",
    "bring_pictures",
    "change_listing",
    "complete_draft",
    "drop_draft",
    "new_draft",
    "publish",
    "publish_due",
    "refuse_picture",
    "remove_picture",
    "retype_draft",
    "save_draft",
    "save_grid",
    "say_of_pictures",
    "schedule",
    "version_of",
    "withdraw_size",
    "written",
]
