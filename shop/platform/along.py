"""What every page says of the person who looks at it (how much lies in their cart, what they like), read along with who they are: one
statement instead of one for each.

A feature names what it wants read as `read_along`, each a scalar subquery about `UserSession.user_id`. It is known until something is
read anew: whoever asks after a change, or for anybody else, is told nothing and asks the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.kernel.db import reading

KEY = "read_along"


def keep(user_id: int, values: Mapping[str, Any]) -> None:
    """What was read of a person."""
    reading().info[KEY] = (user_id, values)


def known(user_id: int, name: str) -> tuple[Any] | None:
    """What was read of a person under a name, as a tuple of one; None when it has to be asked."""
    kept: tuple[int, Mapping[str, Any]] | None = reading().info.get(KEY)
    return (kept[1][name],) if kept is not None and kept[0] == user_id and name in kept[1] else None
