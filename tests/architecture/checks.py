"""The rules of the house that a syntax tree can show. Each check gives back sentences, none when the module keeps the rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import shop.wiring  # noqa: F401  (names the features)
from shop.platform.features import registry
from tests.architecture.syntax import Module, calls, dotted, imports, where

COMMITS = ("commit", "rollback")
COMMITTERS = {"shop.kernel.db"}
# Reading sessions only: nothing was written, the connection is given back before something slow.
MAY_FORGET_READINGS = "rollback"

CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "datetime.datetime.now",
    "datetime.datetime.utcnow", "datetime.date.today", "func.now", "sa.func.now", "func.current_timestamp", "sa.func.current_timestamp",
}  # fmt: skip
CLOCK_KEEPER = "shop.kernel.clock"

# Heavy libraries that most processes never need.
LAZY = {"pypinyin", "stripe", "PIL", "resvg_py", "openpyxl", "segno", "xlsxwriter", "redis"}

MONEY_PACKAGES = {"wallet", "payments", "settlement", "orders", "bills", "checkout", "cart", "stock", "fulfilment", "pickup", "promotions"}
MONEY_MODULES = {"shop.kernel.money", "shop.kernel.weight"}
TIME_WORDS = re.compile(r"second|timeout|ttl|timedelta|delay|wait", re.IGNORECASE)  # seconds may be fractions

OWNERS: Mapping[str, tuple[str, ...]] = {model: (owner,) for model, owner in registry.owners().items()}
"""Which package writes a model: the feature that says it owns it."""
# A person with a worker's tools: `flask jobs retry` puts a job back.
ALSO: Mapping[str, tuple[str, ...]] = {"Job": ("shop.cli.jobs",)}
WRITES = {"insert", "update", "delete", "insert_once", "insert_or_ignore", "insert_made_or_ignore", "insert_or_update"}


def stray_commits(module: Module) -> Iterator[str]:
    """Only `shop/kernel/db.py` commits; others may at most forget what a reading session has read."""
    if module.name in COMMITTERS:
        return
    reading = reading_names(module)
    for call in calls(module.tree):
        receiver, _, verb = dotted(call.func).rpartition(".")
        if verb not in COMMITS or not receiver:
            continue
        if verb == MAY_FORGET_READINGS and (receiver in reading or receiver == "reading()"):
            continue
        yield f"{where(module, call)} calls {receiver}.{verb}(); only shop/kernel/db.py does"


KEEPERS_OF_STATEMENTS = {"shop.kernel.statements"}


def own_tables_and_conflicts(module: Module) -> Iterator[str]:
    """Tables of models and inserts that may meet a row are made in one place, typed, for both engines."""
    if module.name in KEEPERS_OF_STATEMENTS:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == "__table__":
            yield f"{where(module, node)} asks for __table__; use shop.kernel.statements.table"
        if isinstance(node, ast.Attribute) and node.attr.startswith("on_conflict_do"):
            yield f"{where(module, node)} writes {node.attr}; use shop.kernel.statements"


def reading_names(module: Module) -> set[str]:
    """Names that hold `reading()` in this module."""
    return {
        target.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func) in {"reading", "db.reading"}
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def own_clocks(module: Module) -> Iterator[str]:
    """Nobody but `shop.kernel.clock` asks for the time."""
    if module.name == CLOCK_KEEPER:
        return
    for call in calls(module.tree):
        if dotted(call.func) in CLOCKS:
            yield f"{where(module, call)} asks {dotted(call.func)}() for the time; use shop.kernel.clock"


def float_money(module: Module) -> Iterator[str]:
    """No floats and no true division where money is counted."""
    if module.package not in MONEY_PACKAGES and module.name not in MONEY_MODULES:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {"float", "Decimal", "round"}:
            yield f"{where(module, node)} uses {dotted(node.func)}(); money is whole fen, see shop.kernel.money"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not is_duration(node):
            yield f"{where(module, node)} divides with /; use shop.kernel.money.divide_half_up or share"
    for line in (node for node in ast.walk(module.tree) if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr)):
        floats = [node.value for node in ast.walk(line) if isinstance(node, ast.Constant) and isinstance(node.value, float)]
        if floats and not TIME_WORDS.search(ast.unparse(line)):
            yield f"{where(module, line)} has the float {floats[0]}; money is whole fen"


def is_duration(node: ast.BinOp) -> bool:
    """A span of time may be divided, and paths are joined so: one of the sides says it."""
    sides = ast.unparse(node.left) + ast.unparse(node.right)
    return any(word in sides for word in ("timedelta", "Path"))


def hidden_imports(module: Module) -> Iterator[str]:
    """Imports stand at the top, except of heavy libraries."""
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node, name in imports(function):
            if name.split(".")[0] not in LAZY and (module.name, name) not in ALLOWED_HIDDEN:
                yield f"{where(module, node)} imports {name} inside {function.name}()"


# The kernel can be imported without the whole house.
ALLOWED_HIDDEN = {("shop", "shop")}


def foreign_writes(module: Module, owners: Mapping[str, tuple[str, ...]] = OWNERS) -> Iterator[str]:
    """A table is written only by the feature that owns it: its model is constructed, inserted, updated or deleted nowhere else."""
    if module.package == "models":
        return
    tables = table_names(module, owners)
    written = [(call, model) for call in calls(module.tree) for model in written_models(call, tables, owners)]
    for node, model in [*written, *changed_rows(module, held_rows(module, tables))]:
        if module.package not in owners[model] and not module.name.startswith(ALSO.get(model, ("-",))):
            yield f"{where(module, node)} writes {model}, which belongs to {', '.join(owners[model])}"


def table_names(module: Module, owners: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Names a module gives to models or their tables: `{"LINES": "OrderLine"}`, by import, alias or `table(X)`."""
    names = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shop.models"):
            names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in owners}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            source = ast.unparse(node.value)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for model in set(names.values()):
                if f"table({model})" in source:
                    names |= {target.id: model for target in targets if isinstance(target, ast.Name)}
    return names


def held_rows(module: Module, tables: Mapping[str, str]) -> dict[str, str]:
    """Names that hold rows read through the session, with their model."""
    held = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, source = node.targets[0], node.value
        elif isinstance(node, ast.For):
            target, source = node.target, node.iter
        else:
            continue
        model = model_read(source, tables)
        if model and isinstance(target, ast.Name):
            held[target.id] = model
    return held


def model_read(source: ast.expr, tables: Mapping[str, str]) -> str | None:
    """The model whose whole rows an expression reads: `session.get(X, ...)`, `session.scalars(sa.select(X)...)`."""
    for call in calls(source):
        verb = dotted(call.func).rpartition(".")[2]
        if verb in {"get", "get_one", "select"} and len(call.args) >= 1 and isinstance(call.args[0], ast.Name):
            whole = verb != "select" or len(call.args) == 1
            if whole and call.args[0].id in tables:
                return tables[call.args[0].id]
    return None


def changed_rows(module: Module, held: Mapping[str, str]) -> Iterator[tuple[ast.AST, str]]:
    """Where a row that was read is changed or deleted."""
    for node in ast.walk(module.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in held:
                yield node, held[target.value.id]
        if isinstance(node, ast.Call) and dotted(node.func).endswith(".delete") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Name) and first.id in held:
                yield node, held[first.id]


def unmarked_refusals(module: Module) -> Iterator[str]:
    """What a refusal says is marked with `sentence`, so that it is found and translated."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for line in node.body:
            names = [target.id for target in line.targets if isinstance(target, ast.Name)] if isinstance(line, ast.Assign) else []
            if "message" in names and isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant | ast.JoinedStr):
                yield f"{where(module, line)}: the message of {node.name} is not marked with sentence()"


def speaks_out_loud(module: Module) -> Iterator[str]:
    """No print, no breakpoint: commands use click.echo."""
    for call in calls(module.tree):
        if dotted(call.func) in {"print", "breakpoint", "pprint"}:
            yield f"{where(module, call)} calls {dotted(call.func)}()"


def written_models(call: ast.Call, tables: Mapping[str, str], owners: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    function = dotted(call.func)
    last = function.rpartition(".")[2]
    if tables.get(function) == function or (function in tables and function[0].isupper() and not function.isupper()):
        yield tables[function]
    if last in WRITES:
        for argument in call.args[:2]:
            if isinstance(argument, ast.Name) and argument.id in tables:
                yield tables[argument.id]
        receiver = function.rpartition(".")[0]
        if receiver in tables:
            yield tables[receiver]


GATE = {"shop.platform.asked"}
PAST_THE_GATE: Mapping[str, str] = {
    "shop.platform.api.core": "hands every parameter to a schema and refuses the unknown", "shop.platform.bodies": "only measures it",
}  # fmt: skip
"""Who may read addresses and forms themselves, and why it is safe."""
RAW = {"request.args", "request.form", "request.values", "request.query_string", "flask.request.args", "flask.request.form"}
OWN_TIMES: Mapping[str, str] = {
    "shop.kernel.gate": "is the gate", "shop.platform.api.fields": "is the gate of bodies",
    "shop.orders.terms": "reads terms it has written",
    "shop.accounts.views.notices": "reads facts of our own notices", "shop.consoles.admin.deeds": "reads facts of our own trail",
    "shop.bills.gateway": "reads a biller's answer, and takes what is none for no answer", "shop.cli.clock": "asks the gate about the day",
    "shop.cli.doctor": "reads what the database says", "shop.settlement.jobs": "reads what its own jobs carry",
}  # fmt: skip
"""Who may read times themselves, and why it is safe."""
BOUNDED_ID = re.compile(r"<(int|float|any|uuid|string\()\b")


def reads_past_the_gate(module: Module) -> Iterator[str]:
    """What comes from outside is read by `shop.platform.asked` or by a form, and a part of a path that is a number is an `id`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in RAW and module.name not in GATE | set(PAST_THE_GATE):
            yield f"{where(module, node)} reads {dotted(node)}; use shop.platform.asked"
        reads_time = isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"fromisoformat", "strptime"}
        if reads_time and module.name not in OWN_TIMES:
            yield f"{where(module, node)} reads a time by itself; use shop.kernel.gate"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/") and BOUNDED_ID.search(node.value):
            yield f"{where(module, node)} has an unbounded part in {node.value}; use <id:...>"
        if isinstance(node, ast.Call) and dotted(node.func) in {"click.argument", "click.option"} and not says_what_it_takes(node):
            yield f"{where(module, node)} takes anything from the command line; give it a type of shop.platform.parameters"


def says_what_it_takes(option: ast.Call) -> bool:
    """A flag or a type; or the command reads its text by a pattern of its own."""
    named = {keyword.arg for keyword in option.keywords}
    return bool(named & {"type", "is_flag"}) or ast.unparse(option.args[0]) in READ_BY_PATTERN


READ_BY_PATTERN = {"'when'", "'by'", "'--seed'", "'--days'"}


FILLED_IN_ORDER = {
    "shop.platform.audit_checks": {"Break"},
    "shop.platform.api.core": {"Endpoint"},
    "shop.payments.gateway": {"EventFacts"},
    "shop.bills.paying": {"Share"},
    "shop.checkout.rules": {"Change"},
    "shop.cli.backup.archive": {"Sealing"},
}
"""By tuples whose members have types, so that mypy sees when they change; never by a row."""


def fills_in_order(module: Module) -> Iterator[str]:
    """Columns become facts by name (`shop.kernel.rows`): one more or less in between would shift all others, and nothing would say so."""
    for call in calls(module.tree):
        *owner, name = dotted(call.func).split(".")
        if name == "_make":
            yield f"{where(module, call)} fills {'.'.join(owner)} by the order of a row; say it by name"
        is_class = name[:1].isupper() and not name.isupper()
        is_in_order = any(isinstance(argument, ast.Starred) for argument in call.args)
        if is_class and is_in_order and name not in FILLED_IN_ORDER.get(module.name, set()) and owner != ["sa"]:
            yield f"{where(module, call)} fills {name} by the order of a row; say it by name"
