"""The goods of the demo city a thousand times over, each with its listing, stock and search terms: made in seconds by INSERT ... SELECT."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo import catalogue
from shop.kernel import clock
from shop.kernel.db import Base, database, transaction

BASE = 1_000_000
SLICES = 20
OFTEN = 12
"""Terms of less weight (origin, seller, category) are left out but for these: the index is half as large, and as deep where it matters."""
KEPT = ("水果", "蔬菜", "w:fresh")


def multiply_goods(wanted: int) -> None:
    """So many goods more, as like the demo city's as one shop's oranges are like another's."""
    with transaction() as session:
        catalogue.add_places(session)
        catalogue.add_merchants(session, clock.now(), {})
        catalogue.add_categories(session)
        catalogue.add_products(session, clock.now(), {})
    for number in range(SLICES):
        with transaction() as session:
            trust(session)
            copy_goods(session, wanted * number // SLICES, wanted * (number + 1) // SLICES)
    with database.engine.connect() as connection:
        settled = connection.execution_options(isolation_level="AUTOCOMMIT")
        settled.exec_driver_sql("ANALYZE" if settled.dialect.name == "sqlite" else "VACUUM ANALYZE")


def trust(session: Session) -> None:
    """What is copied names what is there; asking for it row by row would take minutes."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        session.execute(sa.text("SET LOCAL statement_timeout = 0"))


def copy_goods(session: Session, start: int, end: int) -> None:
    code, key = "'more-' || n.n", f"{BASE} + n.n"
    counted = f"WITH RECURSIVE counted(n) AS (SELECT {start} + 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {end})"
    numbers = f"({counted} SELECT n FROM counted) AS n"
    known = f"(SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM products WHERE id < {BASE}) AS k"
    each = f"{numbers} JOIN {known} ON k.place = n.n % (SELECT count(*) FROM products WHERE id < {BASE})"
    size = f"(SELECT min(id) FROM variants WHERE product_id = k.id AND id < {BASE})"
    new = {"code": code, "slug": code, "position": "1000 + n.n", "rank": "1000 + n.n"}
    insert(session, "products", {**new, "id": key}, f"{each} JOIN products x ON x.id = k.id")
    insert(session, "variants", {"id": key, "code": code, "product_id": key, "barcode": "NULL"}, f"{each} JOIN variants x ON x.id = {size}")
    insert(session, "stock_items", {"variant_id": key}, f"{each} JOIN stock_items x ON x.variant_id = {size}")
    insert(session, "listings", {**new, "product_id": key, "variant_id": key}, f"{each} JOIN listings x ON x.product_id = k.id")
    kept = ", ".join(f"'{term}'" for term in KEPT)
    often = f"WHERE x.weight >= {OFTEN} OR x.term IN ({kept}) OR x.term LIKE 'p:%' OR x.term LIKE 'i:%' OR x.term LIKE 'g:%'"
    insert(session, "search_terms", {"rank": "1000 + n.n", "product_id": key}, f"{each} JOIN search_terms x ON x.product_id = k.id {often}")


def insert(session: Session, table: str, new: Mapping[str, str], source: str) -> None:
    """Copies of rows of a table, with other values in some columns."""
    columns = [column.name for column in Base.metadata.tables[table].columns if column.computed is None]
    values = ", ".join(new.get(name, f"x.{name}") for name in columns)
    session.execute(sa.text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}"))
