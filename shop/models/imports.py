"""Sheets that merchants bring: the file while it is read, what each row means, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, merchant_key, pk
from shop.kernel.db import Base


class ImportKind(StrEnum):
    GOODS = "goods"
    FIGURES = "figures"  # prices and stock of what is listed already


class ImportState(StrEnum):
    READING = "reading"
    CHECKED = "checked"  # read, nothing changed yet: its owner decides
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"  # the file as a whole could not be read
    DROPPED = "dropped"


class Choice(StrEnum):
    ALL = "all"  # every row, or none
    GOOD = "good"  # the good rows


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    WRONG = "wrong"


class Outcome(StrEnum):
    APPLIED = "applied"
    FAILED = "failed"  # it was good when it was read, and no more when it was applied


class ProductImport(Base):
    """One sheet that was brought, from the upload to the last row."""

    __tablename__ = "product_imports"
    __table_args__ = (
        sa.CheckConstraint("rows_read >= 0 AND rows_read <= rows_total", name="read_within_total"),
        sa.CheckConstraint("rows_applied + rows_failed <= rows_total", name="applied_within_total"),
        sa.Index("ix_product_imports_merchant_id_id", "merchant_id", "id"),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    merchant_id: Mapped[merchant_key]
    kind: Mapped[ImportKind]
    state: Mapped[ImportState] = mapped_column(default=ImportState.READING)
    file_name: Mapped[str]
    usual: Mapped[Any] = mapped_column(Document)  # what was said beside the file: what it leaves open
    layout: Mapped[str] = mapped_column(default="")  # whose columns they are
    headers: Mapped[Any] = mapped_column(Document)  # column by our name: the words of the file
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_applied: Mapped[int] = mapped_column(default=0)
    rows_failed: Mapped[int] = mapped_column(default=0)
    pictures: Mapped[int] = mapped_column(default=0)  # named in the file; none is fetched
    has_prices: Mapped[bool] = mapped_column(default=False)  # whether a row of listed goods has another price
    choice: Mapped[Choice | None]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(Document)  # why the file was refused, or nothing was applied: sentence and facts
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # none: a command
    created_at: Mapped[datetime]
    chosen_by: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    finished_at: Mapped[datetime | None]


class ImportFile(Base):
    """The bytes of a sheet, kept until they are read."""

    __tablename__ = "import_files"

    import_id: Mapped[int] = mapped_column(sa.ForeignKey("product_imports.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ImportRow(Base):
    """One row of a sheet: what it says, what that would change, and what became of it."""

    __tablename__ = "import_rows"
    __table_args__ = (
        sa.UniqueConstraint("import_id", "number"),
        sa.Index("ix_import_rows_import_id_verdict_number", "import_id", "verdict", "number"),
    )

    id: Mapped[pk]
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("product_imports.id"))
    merchant_id: Mapped[merchant_key]
    number: Mapped[int]  # as the sheet counts its rows
    code: Mapped[str]
    name: Mapped[str]
    verdict: Mapped[Verdict]
    cells: Mapped[Any] = mapped_column(Document)  # as they were written, by our names of the columns
    values: Mapped[Any] = mapped_column(Document)  # as they were understood
    changes: Mapped[Any] = mapped_column(Document)  # column, from, to
    questions: Mapped[Any] = mapped_column(Document)  # likely slips: taken with a tick only
    wrongs: Mapped[Any] = mapped_column(Document)  # column, sentence, facts
    is_asked: Mapped[bool] = mapped_column(default=False)
    is_sure: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[Outcome | None]
