"""Pictures of goods; typing, changing and publishing them."""

from shop.listings.operations.pictures import (
    LONGEST_ALT,
    MAKE,
    add_picture,
    bring_pictures,
    refuse_picture,
    remove_picture,
    say_of_pictures,
)

__all__ = ["LONGEST_ALT", "MAKE", "add_picture", "bring_pictures", "refuse_picture", "remove_picture", "say_of_pictures"]
