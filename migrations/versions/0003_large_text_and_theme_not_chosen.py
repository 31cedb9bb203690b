"""Large text and theme know "not chosen yet", as language does: what was chosen before signing in is then taken over.

Nobody knows of an old "standard" or "auto" whether it was chosen; it counts as not chosen. The columns are made anew, because
SQLite cannot let a column be empty in place.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (("is_elder_mode", sa.Boolean(), sa.false()), ("theme", sa.Text(), sa.literal("auto")))


def upgrade() -> None:
    for name, kind, unchosen in COLUMNS:
        op.execute(f"ALTER TABLE users RENAME COLUMN {name} TO {name}_before")
        op.add_column("users", sa.Column(name, kind, nullable=True))
        carry_over(name, kind, lambda before, unchosen=unchosen: before != unchosen)


def downgrade() -> None:
    for name, kind, unchosen in COLUMNS:
        op.execute(f"ALTER TABLE users RENAME COLUMN {name} TO {name}_before")
        default = str(unchosen.compile(op.get_bind(), compile_kwargs={"literal_binds": True}))
        op.add_column("users", sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
        carry_over(name, kind, lambda before: before.is_not(None))


def carry_over(name: str, kind: sa.types.TypeEngine[object], wanted: Callable[..., sa.ColumnElement[bool]]) -> None:
    """Put what the old column says into the new one, where it is wanted, and drop the old one."""
    before = sa.column(f"{name}_before", kind)
    users = sa.table("users", sa.column(name, kind), before)
    op.execute(users.update().where(wanted(before)).values({name: before}))
    op.drop_column("users", f"{name}_before")
