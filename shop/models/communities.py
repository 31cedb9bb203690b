"""Where people live: administrative regions and the pilot communities."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base


class Region(Base):
    """An administrative division by its national code: province, city, county, street or town."""

    __tablename__ = "regions"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(sa.ForeignKey("regions.code"))


class Community(Base):
    """A pilot neighbourhood."""

    __tablename__ = "communities"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    street_code: Mapped[str] = mapped_column(sa.ForeignKey("regions.code"))
    district_zh: Mapped[str]
    district_en: Mapped[str]
    households: Mapped[int]
    residents: Mapped[int]
    buildings: Mapped[int]
    share_60_plus_percent: Mapped[int]
