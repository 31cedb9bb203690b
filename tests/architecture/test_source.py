"""What the shop's source must not do. Each check is shown to catch a snippet that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import shop.models
from shop.kernel.db import Base
from tests.architecture import checks
from tests.architecture.syntax import Module, parsed, shop_modules

pytestmark = pytest.mark.one_engine

CHECKS = (
    checks.stray_commits, checks.own_clocks, checks.float_money, checks.hidden_imports, checks.foreign_writes, checks.unmarked_refusals,
    checks.speaks_out_loud, checks.reads_past_the_gate, checks.own_tables_and_conflicts,
    checks.fills_in_order,
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_shop_keeps_the_rule(check: Callable[[Module], Iterator[str]]) -> None:
    assert [sentence for module in shop_modules() for sentence in check(module)] == []


def test_there_is_something_to_check() -> None:
    names = {module.name for module in shop_modules()}
    assert len(names) > 100
    assert {"shop", "shop.wiring", "shop.kernel.db", "shop.orders.operations.closing"} <= names


def test_every_model_has_an_owner() -> None:
    assert {mapper.class_.__name__ for mapper in Base.registry.mappers} == set(checks.OWNERS)
    assert shop.models


def broken(check: Callable[[Module], Iterator[str]], source: str, name: str = "shop.orders.operations") -> list[str]:
    return list(check(parsed(source, name)))


@pytest.mark.parametrize(
    "source",
    [
        "def place(session):\n    session.add(1)\n    session.commit()\n",
        "def place(session):\n    session.rollback()\n",
        "from shop.kernel.db import database\ndatabase.session.commit()\n",
        "session = Session()\nsession.rollback()\n",
    ],
)
def test_a_commit_outside_the_kernel_is_caught(source: str) -> None:
    assert len(broken(checks.stray_commits, source)) == 1


def test_a_reading_session_may_forget_and_the_kernel_may_commit() -> None:
    assert broken(checks.stray_commits, "session = reading()\nsession.rollback()\nreading().rollback()\n") == []
    assert broken(checks.stray_commits, "session.commit()\n", "shop.kernel.db") == []


@pytest.mark.parametrize(
    "source",
    ["datetime.now(UTC)", "time.time()", "date.today()", "datetime.datetime.utcnow()", "sa.func.now()", "fromtimestamp(time.time())"],
)
def test_another_clock_is_caught(source: str) -> None:
    assert broken(checks.own_clocks, source)
    assert broken(checks.own_clocks, source, "shop.kernel.clock") == []


def test_measuring_how_long_something_took_is_allowed() -> None:
    assert broken(checks.own_clocks, "time.monotonic()\nclock.now()\nclock.today()\n") == []


@pytest.mark.parametrize("source", ["float(amount)", "total.fen / 3", "round(total * 0.03)", "Decimal('1.10')", "commission = 0.03"])
def test_floating_money_is_caught(source: str) -> None:
    assert broken(checks.float_money, source)
    assert broken(checks.float_money, source, "shop.home.views") == []


def test_spans_of_time_may_be_divided() -> None:
    source = "half = timedelta(hours=1) / 2\nWAIT_SECONDS = 0.5\nplace = Path('a') / 'b'\nquarter = total // 4\n"
    assert broken(checks.float_money, source) == []


def test_a_hidden_import_is_caught() -> None:
    assert broken(checks.hidden_imports, "def f():\n    from shop.wallet import operations\n")
    assert broken(checks.hidden_imports, "async def f():\n    import json\n")
    assert broken(checks.hidden_imports, "class A:\n    def f(self):\n        import csv\n")


def test_heavy_libraries_may_wait() -> None:
    assert broken(checks.hidden_imports, "import json\ndef f():\n    import stripe\n    from PIL import Image\n") == []


@pytest.mark.parametrize(
    "write",
    [
        "SubOrder(number='L1')",
        "session.add(SubOrder(number='L1'))",
        "session.execute(sa.update(SubOrder).values(state='x'))",
        "session.execute(sa.insert(SubOrder), rows)",
        "session.execute(sa.delete(SubOrder))",
        "insert_once(session, SubOrder, number='L1')",
        "SUB_ORDERS = table(SubOrder)\nsession.execute(sa.update(SUB_ORDERS))",
        "SUB_ORDERS = table(SubOrder)\nSUB_ORDERS.insert()",
        "SUB_ORDERS = table(SubOrder)\nOPEN = insert_or_ignore(SUB_ORDERS, SUB_ORDERS.c.id)",
        "part = session.get_one(SubOrder, 1)\npart.state = 'x'",
        "part = session.scalars(sa.select(SubOrder)).one()\npart.total += 1",
        "part = session.get(SubOrder, 1)\nsession.delete(part)",
        "for part in session.scalars(sa.select(SubOrder)):\n    part.state = 'x'",
    ],
)
def test_a_write_to_another_features_table_is_caught(write: str) -> None:
    source = f"from shop.models.orders import SubOrder\n{write}\n"
    assert broken(checks.foreign_writes, source, "shop.pickup.operations")
    assert broken(checks.foreign_writes, source, "shop.orders.operations") == []


def test_a_table_or_a_conflict_of_ones_own_making_is_caught() -> None:
    assert broken(checks.own_tables_and_conflicts, "LINES = OrderLine.__table__\n")
    assert broken(checks.own_tables_and_conflicts, "insert(LINES).on_conflict_do_nothing()\n")
    assert broken(checks.own_tables_and_conflicts, "LINES = table(OrderLine)\nNEW = insert_or_ignore(LINES, LINES.c.id)\n") == []


def test_reading_another_features_table_is_allowed() -> None:
    source = "from shop.models.orders import SubOrder\nrows = session.scalars(sa.select(SubOrder).where(SubOrder.id == 1))\n"
    assert broken(checks.foreign_writes, source, "shop.pickup.queries") == []


def test_a_refusal_that_is_not_marked_for_translation_is_caught() -> None:
    assert broken(checks.unmarked_refusals, "class Gone(ShopError):\n    message = 'It is gone.'\n")
    assert broken(checks.unmarked_refusals, "class Gone(ShopError):\n    message = sentence('It is gone.')\n") == []


def test_a_print_is_caught() -> None:
    assert broken(checks.speaks_out_loud, "print('here')")
    assert broken(checks.speaks_out_loud, "breakpoint()")
    assert broken(checks.speaks_out_loud, "click.echo('there')") == []


@pytest.mark.parametrize(
    "source",
    [
        "request.args.get('n')", "number = request.form['n']", "request.values", "for name in request.args: pass",
        "date.fromisoformat(text)", "datetime.strptime(text, '%Y')", "@bp.get('/jobs/<int:job_id>')\ndef f(): pass",
        "@bp.get('/jobs/<string(length=2):job>')\ndef f(): pass", "@click.argument('phone')\ndef f(): pass",
        "@click.option('--reason', required=True)\ndef f(): pass",
    ],
)  # fmt: skip
def test_reading_past_the_gate_is_caught(source: str) -> None:
    assert len(broken(checks.reads_past_the_gate, source, "shop.example.views")) == 1


def test_the_gate_and_what_is_read_by_it_are_allowed() -> None:
    source = (
        "address.text('q', 60)\nsent.path()\nrequest.headers.get('Referer')\n@bp.get('/jobs/<id:job_id>')\ndef f(): pass\n"
        "@click.argument('phone', type=parameters.WORD)\ndef g(): pass\n@click.option('--once', is_flag=True)\ndef h(): pass\n"
    )
    assert broken(checks.reads_past_the_gate, source, "shop.example.views") == []
    assert broken(checks.reads_past_the_gate, "request.args", "shop.platform.asked") == []


@pytest.mark.parametrize(
    "source", ["[Facts(*row) for row in rows]", "Facts(*row[1:], lines=())", "orders.Facts(*[*row, back])", "Facts._make((*row, 1))"]
)
def test_a_class_filled_by_the_order_of_a_row_is_caught(source: str) -> None:
    assert len(broken(checks.fills_in_order, source)) == 1


def test_facts_by_name_and_functions_of_many_are_let_be() -> None:
    said = "all_as(Facts, rows)\none_as(Facts, row, lines=())\nsa.select(*COLUMNS)\nFacts(**row)\n"
    assert broken(checks.fills_in_order, said) == []
