"""The floors: what Flask alone does for the same kind of work, on the same engine, served the same way.

F0 a constant; F1 one row through the ORM and a small template; F24 24 rows and a 24-card template; FB one conditional stock
update and an order row, committed.
"""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

CARDS = """<!doctype html><title>floor</title><main>{% for item in items %}
<article><a href="/products/{{ item.id }}"><img src="/static/{{ item.id }}.webp" alt=""><h3>{{ item.name }}</h3></a>
<p>{{ item.shop }}</p><p>¥{{ item.price // 100 }}.{{ "%02d" % (item.price % 100) }} / {{ item.unit }}</p></article>{% endfor %}</main>"""
PAGE = "<!doctype html><title>{{ item.name }}</title><h1>{{ item.name }}</h1><p>{{ item.shop }}</p><p>¥{{ item.price }}</p>"


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "floor_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    shop: Mapped[str]
    unit: Mapped[str]
    price: Mapped[int]
    stock: Mapped[int]


class Sale(Base):
    __tablename__ = "floor_sales"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int]
    price: Mapped[int]


def make_engine(url: str) -> sa.Engine:
    """The shop's own engine recipe, so that the floor differs in work only."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": 10}, pool_size=8)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute("PRAGMA " + pragma)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("read_only") else "BEGIN IMMEDIATE")

    return engine


def create_app() -> Flask:
    app = Flask(__name__)
    engine = make_engine(os.environ["DATABASE_URL"])
    readers = engine.execution_options(read_only=True) if engine.dialect.name == "sqlite" else engine

    page, cards = app.jinja_env.from_string(PAGE), app.jinja_env.from_string(CARDS)

    @app.get("/f0")
    def f0() -> str:
        return "ok"

    @app.get("/f1")
    def f1() -> str:
        with Session(readers) as session:
            return page.render(item=session.get(Item, 7))

    @app.get("/f24")
    def f24() -> str:
        with Session(readers) as session:
            return cards.render(items=session.scalars(sa.select(Item).order_by(Item.id).limit(24)).all())

    @app.post("/fb")
    def fb() -> tuple[str, int]:
        item = int.from_bytes(os.urandom(2), "big") % 100 + 1
        with Session(engine) as session, session.begin():
            taken: Any = session.execute(sa.update(Item).where(Item.id == item, Item.stock >= 1).values(stock=Item.stock - 1))
            if taken.rowcount != 1:
                return "sold out", 409
            session.add(Sale(item_id=item, price=100))
        return "sold", 201

    return app


def prepare(url: str) -> None:
    """Make the floor's tables with 100 items."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(
            Item(id=number, name=f"血橙 {number}", shop="橙乡合作社", unit="5斤/箱", price=2490 + number, stock=100_000_000)
            for number in range(1, 101)
        )
    engine.dispose()
