"""Models, migrations and the database say the same, on both engines."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError

from shop import create_app
from shop.kernel import keys
from shop.kernel.db import Base, database, transaction
from shop.platform.access import declare_access
from tests.conftest import dispose, execute_on_server, make_config, server_url

ROOT = Path(__file__).resolve().parents[2]
APPEND_ONLY = ("transfers", "audit_entries", "audit_seals", "audit_links", "stock_movements", "price_changes")


def enums() -> list[tuple[str, str, tuple[str, ...]]]:
    """Every enum column with its members."""
    return [
        (table.name, column.name, tuple(column.type.enums))
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.Enum)
    ]


def allowed_values(inspector: sa.Inspector, table: str, column: str) -> set[str]:
    """What the CHECK of an enum column lets in, as the database tells it."""
    for check in inspector.get_check_constraints(table):
        text = check["sqltext"]
        if re.match(rf"\(*\"?{column}\"?\)*(::text)? (IN|= ANY)", text):
            return set(re.findall(r"'([^']*)'", text))
    return set()


@pytest.fixture(scope="module")
def fresh(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app on an empty database of its own, without any schema."""
    name = "linli_test_schema"
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('schema') / 'linli.db'}"
    else:
        execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        execute_on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        url = server_url().set(database=name).render_as_string(hide_password=False)
    made = create_app(make_config(url))
    yield made
    with made.app_context():
        dispose(made)
    if engine_name == "postgresql":
        execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def tables_of(app: Flask) -> set[str]:
    with database.engines[None].connect() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_go_up_from_nothing_and_down_again(fresh: Flask) -> None:
    with fresh.app_context():
        assert tables_of(fresh) == set()
        upgrade()
        assert tables_of(fresh) == set(Base.metadata.tables)
        dispose(fresh)
        downgrade(revision="base")
        assert tables_of(fresh) == set()
        dispose(fresh)
        upgrade()
        assert tables_of(fresh) == set(Base.metadata.tables)


def test_large_text_and_theme_of_people_who_chose_them_are_kept(fresh: Flask) -> None:
    people = [("13800000001", True, "dark"), ("13800000002", False, "auto"), ("13800000003", False, "light")]
    columns = "phone, display_name, state, verification_level, is_elder_mode, theme, created_at"
    look = sa.text("SELECT phone, is_elder_mode, theme FROM users ORDER BY phone").columns(sa.Text, sa.Boolean, sa.Text)
    with fresh.app_context():
        downgrade(revision="0002")
        for phone, is_elder, theme in people:
            values = {"phone": phone, "is_elder": is_elder, "theme": theme}
            with database.engines[None].begin() as connection:
                connection.execute(
                    sa.text(f"INSERT INTO users ({columns}) VALUES (:phone, '', 'active', 0, :is_elder, :theme, '2026-06-08')"), values
                )
        dispose(fresh)
        upgrade(revision="0004")
        with database.engines[None].connect() as connection:
            rows = [tuple(row) for row in connection.execute(look)]
        assert rows == [("13800000001", True, "dark"), ("13800000002", None, None), ("13800000003", None, "light")]
        dispose(fresh)
        downgrade(revision="0002")
        with database.engines[None].begin() as connection:
            assert [tuple(row) for row in connection.execute(look)] == people, "and back again"
            connection.execute(sa.text("DELETE FROM users"))
        dispose(fresh)
        upgrade()


def test_jobs_that_wait_are_put_into_their_lane(fresh: Flask) -> None:
    """Those about a biller by way of the row they name; what is done, or unknown, stays as it is."""
    columns = "kind, arguments, dedupe_key, state, run_at, attempts, fence, created_at"
    jobs = [
        ("accounts.send_code", '{"code_id": 1}', "queued", "now"), ("fulfilment.tell_arrived", '{"pass_id": 1}', "running", "partner:sms"),
        ("bills.fetch", '{"look_up_id": 7}', "queued", "partner:biller:power"), ("bills.fetch", '{"look_up_id": 8}', "queued", "soon"),
        ("settlement.close", '{"payment_id": 1}', "queued", "partner:stripe"), ("platform.prune", "{}", "queued", "bulk"),
        ("pickup.open_cycles", "{}", "queued", "soon"), ("accounts.send_code", '{"code_id": 2}', "done", "soon"),
    ]  # fmt: skip
    biller = "id, code, name_zh, name_en, category, mode, flow, account_pattern, amount_rule, channel, late_fee_bps_per_day, position"
    with fresh.app_context():
        upgrade()
        dispose(fresh)
        downgrade(revision="0004")
        with database.engines[None].begin() as connection:
            facts = {column["name"] for column in sa.inspect(connection).get_columns("billers")} - set(biller.split(", "))
            connection.execute(sa.text(
                f"INSERT INTO billers ({', '.join([biller, *sorted(facts)])}) VALUES (3, 'power', '', '', '', '', 'fetch_pay', '', "
                f"'exact', '', 0, 1{', true' * len(facts)})"
            ))
            connection.execute(sa.text(
                "INSERT INTO users (id, phone, display_name, state, verification_level, theme, created_at) "
                "VALUES (1, '1', '', 'active', 0, 'auto', '2026-06-08')"
            ))
            connection.execute(sa.text(
                "INSERT INTO bill_look_ups (id, user_id, biller_id, account_ref, account_key, day, number, asked_at) "
                "VALUES (7, 1, 3, 'A', '', '2026-06-08', 1, '2026-06-08')"
            ))
            for number, (kind, arguments, state, _lane) in enumerate(jobs):
                connection.execute(
                    sa.text(f"INSERT INTO jobs ({columns}) VALUES (:kind, :arguments, :key, :state, '2026-06-08', 0, 0, '2026-06-08')"),
                    {"kind": kind, "arguments": arguments, "key": str(number), "state": state},
                )
        dispose(fresh)
        upgrade()
        with database.engines[None].begin() as connection:
            lanes = connection.execute(sa.text("SELECT lane FROM jobs ORDER BY dedupe_key")).scalars().all()
            assert lanes == [lane for *_rest, lane in jobs]
            for table in ("jobs", "bill_look_ups", "billers", "users"):
                connection.execute(sa.text(f"DELETE FROM {table}"))
        dispose(fresh)


def is_over_columns(thing: Any, _name: Any, kind: str, *_rest: Any) -> bool:
    """Indexes over expressions cannot be read back alike from both engines; they are looked for by name below."""
    return kind != "index" or all(isinstance(one, sa.Column) for one in thing.expressions)


def drift(app: Flask, metadata: sa.MetaData) -> list[Any]:
    """What `flask db migrate` would still change."""
    with database.engines[None].connect() as connection, warnings.catch_warnings():
        for said in ("Skipped unsupported reflection of expression-based index", "autogenerate skipping metadata-specified expression"):
            warnings.filterwarnings("ignore", said)
        compare_type = connection.dialect.name == "postgresql"  # SQLite does not remember types well enough to compare
        context = MigrationContext.configure(connection, opts={"compare_type": compare_type, "include_object": is_over_columns})
        return list(compare_metadata(context, metadata))


def test_models_and_migrations_say_the_same(app: Flask) -> None:
    assert drift(app, Base.metadata) == []


def test_indexes_over_expressions_are_there_by_name(app: Flask) -> None:
    wanted = {
        str(index.name) for table in Base.metadata.sorted_tables for index in table.indexes if not is_over_columns(index, "", "index")
    }
    names = "indexname FROM pg_indexes" if database.engines[None].dialect.name == "postgresql" else "name FROM sqlite_master"
    with database.engines[None].connect() as connection:
        there = set(connection.execute(sa.text(f"SELECT {names}")).scalars())
    assert wanted
    assert wanted - there == set()


def test_a_model_that_moved_on_is_caught(app: Flask) -> None:
    moved = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(moved)
    moved.tables["users"].append_column(sa.Column("nickname", sa.Text()))
    sa.Table("pets", moved, sa.Column("id", sa.Integer, primary_key=True))
    kinds = {change[0] for change in drift(app, moved)}
    assert kinds == {"add_column", "add_table"}


def missing_checks(inspector: sa.Inspector, metadata: sa.MetaData) -> set[str]:
    """CHECK constraints of the models that the database does not have."""
    wanted = {
        str(constraint.name)
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint) and constraint.name and not getattr(constraint, "_type_bound", False)
    }
    there = {check["name"] for table in metadata.tables for check in inspector.get_check_constraints(table)}
    return wanted - there


def test_every_check_of_the_models_is_in_the_database(app: Flask) -> None:
    with database.engines[None].connect() as connection:
        assert missing_checks(sa.inspect(connection), Base.metadata) == set()


def test_a_check_that_was_never_migrated_is_caught(app: Flask) -> None:
    moved = sa.MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.sorted_tables:
        table.to_metadata(moved)
    moved.tables["users"].append_constraint(sa.CheckConstraint("phone <> ''", name="phone_not_empty"))
    with database.engines[None].connect() as connection:
        assert missing_checks(sa.inspect(connection), moved) == {"ck_users_phone_not_empty"}


@pytest.mark.parametrize(("table", "column", "members"), enums(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_member_of_an_enum_passes_its_check_and_nothing_else(app: Flask, table: str, column: str, members: tuple[str, ...]) -> None:
    with database.engines[None].connect() as connection:
        assert allowed_values(sa.inspect(connection), table, column) == set(members)


def test_an_enum_that_grew_without_its_check_is_caught(app: Flask) -> None:
    with database.engines[None].connect() as connection:
        assert "on_the_moon" not in allowed_values(sa.inspect(connection), "sub_orders", "state")
        assert allowed_values(sa.inspect(connection), "sub_orders", "no_such_column") == set()
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(sa.text("INSERT INTO jobs (id, kind, arguments, dedupe_key, state, run_at, attempts, fence, created_at) VALUES "
                                "(1, 'k', '{}', 'd', 'on_the_moon', '2026-01-01', 0, 0, '2026-01-01')"))  # fmt: skip


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_rows_that_are_written_once_stay_as_they_are(app: Flask, table: str, verb: str) -> None:
    from tests.support import right_books

    right_books.write()
    right_books.old_seal()
    key = {"audit_seals": "sequence", "audit_links": "position"}.get(table, "id")
    statement = f"UPDATE {table} SET {key} = {key}" if verb == "update" else f"DELETE FROM {table}"
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))


@pytest.mark.one_engine
def test_there_is_one_newest_migration_and_the_head_file_names_it(app: Flask) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    heads = ScriptDirectory.from_config(config).get_heads()
    assert heads == [(ROOT / "migrations" / ".head").read_text().strip()]
    assert app.config["SCHEMA_HEAD"] == heads[0]


@pytest.mark.one_engine
def test_every_route_says_who_may_call_it(app: Flask) -> None:
    assert [endpoint for endpoint, view in app.view_functions.items() if not hasattr(view, "access")] == []


@pytest.mark.one_engine
def test_a_route_that_does_not_say_so_stops_the_start() -> None:
    bare = Flask("bare")
    bare.add_url_rule("/open", "open", lambda: "anybody")
    with pytest.raises(RuntimeError, match="open"):
        declare_access(bare)


@pytest.fixture(autouse=True)
def _secret_of_the_tests() -> Iterator[None]:
    """A second app keeps its own secret; give the first one's back."""
    yield
    keys.keep(make_config("").SECRET_KEY)
