"""Sheets of goods: read row by row, decided about, applied once; books, prices and stock are right after it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from shop.imports import files, jobs, operations, queries
from shop.imports.errors import NothingToApply, NotToBeDecided, TooManyOpen, WrongRows
from shop.imports.operations import applying
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import Busy, Forbidden, NotFound
from shop.kernel.money import Money
from shop.models.accounts import Role, RoleGrant
from shop.models.catalog import Listing, PriceChange, Product, ProductState, SearchTerm, Variant
from shop.models.imports import Choice, ImportFile, ImportKind, ImportRow, ImportState, Outcome, ProductImport, Verdict
from shop.models.merchants import Merchant
from shop.models.platform import AuditEntry, Job, JobState
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform.actor import Actor, Grant
from shop.stock.counting_many import Counted, count_each
from shop.stock.errors import QuantityOutOfRange
from tests.support.factories import Factories, actor_of
from tests.support.sheets import OWN, as_csv, as_xlsx, row

FIGURES = ["编码", "价格", "库存"]


@pytest.fixture
def shop(make: Factories) -> Merchant:
    make.category("fruit")
    return make.merchant("coop", points=[make.point("here")])


def staff(make: Factories, shop: Merchant, role: Role) -> Actor:
    user = make.user()
    make.grant(user, role, merchant=shop)
    return actor_of(user, Grant(role.value, shop.id))


@pytest.fixture
def owner(make: Factories, shop: Merchant) -> Actor:
    return staff(make, shop, Role.MERCHANT_OWNER)


@pytest.fixture
def clerk(make: Factories, shop: Merchant) -> Actor:
    return staff(make, shop, Role.MERCHANT_CLERK)


def brought(actor: Actor, shop: Merchant, content: bytes, kind: ImportKind = ImportKind.GOODS, **usual: Any) -> ProductImport:
    ref = perform(operations.bring, actor, shop.id, kind, "goods.csv", content, usual, f"{len(content)}-{hash(content)}")
    jobs.check(look(shop, ref).id)
    return look(shop, ref)


def look(shop: Merchant, ref: str) -> ProductImport:
    finish_reading()
    return queries.get_import(reading(), [shop.id], ref)


def rows_of(found: ProductImport) -> list[ImportRow]:
    finish_reading()
    return queries.list_rows(reading(), found.id)[0]


def applied(actor: Actor, shop: Merchant, found: ProductImport, choice: Choice = Choice.GOOD) -> ProductImport:
    perform(operations.decide, actor, found.ref, choice)
    jobs.apply(found.id)
    return look(shop, found.ref)


def variant(code: str) -> Variant | None:
    finish_reading()
    return reading().scalars(sa.select(Variant).where(Variant.code == code)).one_or_none()


def on_hand(code: str) -> int:
    finish_reading()
    return reading().scalar(sa.select(StockItem.on_hand).join(Variant, Variant.id == StockItem.variant_id).where(Variant.code == code)) or 0


def wrongs(one: ImportRow) -> list[tuple[str, str]]:
    return [(wrong["column"], wrong["code"]) for wrong in one.wrongs]


def test_new_goods_are_listed_as_drafts_with_price_stock_and_record(owner: Actor, shop: Merchant) -> None:
    small, large = row("orange-5", product="orange"), row("orange-10", product="orange", unit="10斤/箱", price=46, name="")
    found = brought(owner, shop, as_xlsx([small, large]))
    assert found.state is ImportState.CHECKED
    assert [one.verdict for one in rows_of(found)] == [Verdict.NEW, Verdict.NEW]
    assert variant("coop-orange-5") is None, "a dry run changes nothing"
    assert reading().scalar(sa.select(sa.func.count()).select_from(ImportFile)) == 0, "the bytes are forgotten"
    done = applied(owner, shop, found, Choice.ALL)
    assert (done.state, done.rows_applied, done.rows_failed) == (ImportState.DONE, 2, 0)
    made = variant("coop-orange-5")
    assert made is not None
    product = reading().get_one(Product, made.product_id)
    assert (product.code, product.state, product.name_zh) == ("coop-orange", ProductState.DRAFT, "资中血橙orange-5")
    assert reading().scalar(sa.select(sa.func.count()).select_from(Variant).where(Variant.product_id == product.id)) == 2
    assert reading().get(Listing, product.id) is None, "a draft is shown to nobody"
    assert (made.price, made.net_weight_grams, on_hand("coop-orange-5")) == (Money(2_490), 2_500, 60)
    assert reading().scalar(sa.select(PriceChange.actor_id).where(PriceChange.variant_id == made.id)) == owner.user_id
    movement = reading().scalars(sa.select(StockMovement).where(StockMovement.variant_id == made.id)).one()
    assert (movement.kind, movement.quantity, movement.merchant_id) == (MovementKind.RECEIVED, 60, shop.id)
    assert reading().scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == "variant.listed")) == 2


def test_goods_that_the_sheet_puts_on_sale_are_shown_and_found(owner: Actor, shop: Merchant) -> None:
    applied(owner, shop, brought(owner, shop, as_csv([row("plum", state="上架")])))
    made = variant("coop-plum")
    assert made is not None
    assert reading().get_one(Listing, made.product_id).price == Money(2_490)
    assert reading().scalar(sa.select(sa.func.count()).select_from(SearchTerm).where(SearchTerm.product_id == made.product_id))


def test_listed_goods_are_changed_from_what_to_what(owner: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000, on_hand=40)
    content = as_csv([["eggs", "21.50", "38", "土鸡蛋"]], ["code", "price", "stock", "name"])
    found = brought(owner, shop, content)
    one = rows_of(found)[0]
    assert one.verdict is Verdict.CHANGED
    assert {key: new for key, _, new in one.changes} == {"price": 2_150, "stock": 38, "name_zh": "土鸡蛋"}
    assert {key: old for key, old, _ in one.changes if key != "name_zh"} == {"price": 2_000, "stock": 40}
    applied(owner, shop, found)
    made = variant("eggs")
    assert made is not None
    assert (made.price, on_hand("eggs")) == (Money(2_150), 38)
    listing = reading().get_one(Listing, made.product_id)
    assert (listing.name_zh, listing.price) == ("土鸡蛋", Money(2_150))
    kinds = [
        (movement.kind, movement.quantity, movement.told)
        for movement in reading().scalars(sa.select(StockMovement).where(StockMovement.variant_id == made.id).order_by(StockMovement.id))
    ]
    assert kinds[-1] == (MovementKind.CORRECTION, -2, 38)
    again = brought(owner, shop, as_csv([["eggs", "21.50", "38", "土鸡蛋"]], ["code", "price", "stock", "name"], letters="gb18030"))
    assert [each.verdict for each in rows_of(again)] == [Verdict.SAME]
    with pytest.raises(NothingToApply):
        perform(operations.decide, owner, again.ref, Choice.GOOD)
    assert look(shop, again.ref).state is ImportState.CHECKED


def test_all_or_nothing_applies_nothing_while_a_row_is_wrong(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([row("good"), row("bad", price="5,80")]))
    assert [one.verdict for one in rows_of(found)] == [Verdict.NEW, Verdict.WRONG]
    assert wrongs(rows_of(found)[1]) == [("price", "unclear_comma")]
    with pytest.raises(WrongRows):
        perform(operations.decide, owner, found.ref, Choice.ALL)
    assert variant("coop-good") is None
    done = applied(owner, shop, found, Choice.GOOD)
    assert (done.rows_applied, variant("coop-bad")) == (1, None)
    assert variant("coop-good") is not None


def test_a_price_that_jumps_waits_for_a_yes(owner: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000)
    make.product(shop, code="rice", price=2_000)
    content = as_csv([["eggs", "200", ""], ["rice", "21", ""]], FIGURES)
    found = brought(owner, shop, content, ImportKind.FIGURES)
    eggs = rows_of(found)[0]
    assert [question["code"] for question in eggs.questions] == ["price_higher"]
    with pytest.raises(WrongRows):
        perform(operations.decide, owner, found.ref, Choice.ALL)
    assert perform(operations.say_sure, owner, found.ref, [eggs.number]) == 1
    assert perform(operations.say_sure, owner, found.ref, [eggs.number]) == 0, "said again, nothing changes"
    done = applied(owner, shop, found, Choice.ALL)
    made = variant("eggs")
    assert (done.rows_applied, made.price if made else None) == (2, Money(20_000))


def test_what_nobody_said_yes_to_is_left_out_of_the_good_rows(owner: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000)
    make.product(shop, code="rice", price=2_000)
    found = brought(owner, shop, as_csv([["eggs", "200", ""], ["rice", "21", ""]], FIGURES), ImportKind.FIGURES)
    assert applied(owner, shop, found).rows_applied == 1
    eggs = variant("eggs")
    assert eggs is not None
    assert eggs.price == Money(2_000)


def test_clerks_count_and_only_owners_price_or_list(owner: Actor, clerk: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000, on_hand=40)
    with pytest.raises(Forbidden):
        brought(clerk, shop, as_csv([row("plum")]))
    found = brought(clerk, shop, as_csv([["eggs", "20.00", "38"]], FIGURES), ImportKind.FIGURES)
    assert [one.verdict for one in rows_of(found)] == [Verdict.CHANGED], "a price that stays is no matter"
    applied(clerk, shop, found)
    assert on_hand("eggs") == 38
    refused = brought(clerk, shop, as_csv([["eggs", "21.00", "37"]], FIGURES), ImportKind.FIGURES)
    assert wrongs(rows_of(refused)[0]) == [("price", "only_owner")]
    of_owner = brought(owner, shop, as_csv([["eggs", "21.50", "36"]], FIGURES), ImportKind.FIGURES)
    with pytest.raises(Forbidden):
        perform(operations.decide, clerk, of_owner.ref, Choice.GOOD)
    assert (on_hand("eggs"), look(shop, of_owner.ref).state) == (38, ImportState.CHECKED)


def test_another_shop_is_not_found_and_its_codes_are_not_taken(owner: Actor, shop: Merchant, make: Factories) -> None:
    other = make.merchant("mall")
    make.product(other, code="eggs")
    make.product(other, code="coop-pear")
    with pytest.raises(NotFound):
        brought(owner, other, as_csv([row("plum")]))
    found = brought(owner, shop, as_csv([row("eggs"), row("pear")]))
    assert [(one.verdict, one.code) for one in rows_of(found)] == [(Verdict.NEW, "coop-eggs"), (Verdict.WRONG, "pear")]
    stranger = staff(make, other, Role.MERCHANT_OWNER)
    for deed in (operations.drop, lambda session, actor, ref: operations.decide(session, actor, ref, Choice.GOOD)):
        with pytest.raises(NotFound):
            perform(deed, stranger, found.ref)


def test_decided_twice_it_is_applied_once(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([row("plum")]))
    perform(operations.decide, owner, found.ref, Choice.GOOD)
    with pytest.raises(NotToBeDecided):
        perform(operations.decide, owner, found.ref, Choice.GOOD)
    with pytest.raises(NotToBeDecided):
        perform(operations.drop, owner, found.ref)
    jobs.apply(found.id)
    jobs.apply(found.id)
    assert (on_hand("coop-plum"), look(shop, found.ref).rows_applied) == (60, 1)


def test_a_sheet_that_is_dropped_changes_nothing(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([row("plum")]))
    perform(operations.drop, owner, found.ref)
    perform(operations.drop, owner, found.ref)
    with pytest.raises(NotToBeDecided):
        perform(operations.decide, owner, found.ref, Choice.GOOD)
    assert variant("coop-plum") is None


def test_goods_that_changed_after_the_sheet_was_read_are_left_alone(owner: Actor, shop: Merchant, make: Factories) -> None:
    eggs = make.product(shop, code="eggs", price=2_000, on_hand=40)
    make.product(shop, code="rice", price=2_000, on_hand=40)
    content = as_csv([["eggs", "21", "38"], ["rice", "21", "38"]], FIGURES)
    found = brought(owner, shop, content, ImportKind.FIGURES)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == eggs.id).values(price=Money(2_300)))
    done = applied(owner, shop, found)
    assert (done.rows_applied, done.rows_failed) == (1, 1)
    assert (on_hand("eggs"), on_hand("rice")) == (40, 38), "nothing of a row is applied when one part of it cannot be"
    failed = rows_of(found)[0]
    assert (failed.outcome, wrongs(failed)) == (Outcome.FAILED, [("", "changed_meanwhile")])


def test_all_or_nothing_is_nothing_when_one_row_changed_meanwhile(owner: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="rice", price=2_000, on_hand=40)
    eggs = make.product(shop, code="eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([["rice", "21", "38"], ["eggs", "21", "38"]], FIGURES), ImportKind.FIGURES)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == eggs.id).values(price=Money(2_300)))
    done = applied(owner, shop, found, Choice.ALL)
    assert (done.state, done.rows_applied, done.rows_failed) == (ImportState.DONE, 0, 1)
    assert on_hand("rice") == 40
    assert "all or nothing" in done.refusal["message"]


def test_all_or_nothing_stays_nothing_when_it_breaks_off_while_it_gives_up(
    owner: Actor, shop: Merchant, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.product(shop, code="rice", price=2_000, on_hand=40)
    eggs = make.product(shop, code="eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([["rice", "21", "38"], ["eggs", "21", "38"]], FIGURES), ImportKind.FIGURES)
    perform(operations.decide, owner, found.ref, Choice.ALL)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == eggs.id).values(price=Money(2_300)))

    def dies(*_told: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(applying, "_end", dies)
        with pytest.raises(KeyboardInterrupt):
            jobs.apply(found.id)
    jobs.apply(found.id)
    done = look(shop, found.ref)
    assert (done.state, done.rows_applied, done.rows_failed, on_hand("rice")) == (ImportState.DONE, 0, 1, 40)


def test_one_size_written_in_two_ways_is_counted_once(owner: Actor, shop: Merchant, make: Factories) -> None:
    eggs = make.product(shop, code="coop-eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([["eggs", "", "38"], ["coop-eggs", "", "38"]], FIGURES), ImportKind.FIGURES)
    assert [wrongs(one) for one in rows_of(found)] == [[], [("code", "code_twice")]]
    assert (applied(owner, shop, found).rows_applied, on_hand("coop-eggs")) == (1, 38)
    twice = [Counted(eggs.id, 36, 38, cause) for cause in ("first", "second")]
    refused: list[str] = []

    def refuse(doubtful: list[Counted]) -> None:
        refused.extend(one.cause for one in doubtful)
        raise NothingToApply()

    with pytest.raises(NothingToApply):
        perform(count_each, owner, shop.id, twice, refuse=refuse)
    assert (refused, on_hand("coop-eggs")) == (["second"], 38)


def test_what_is_already_as_the_sheet_counts_it_is_no_hindrance(owner: Actor, shop: Merchant, make: Factories) -> None:
    eggs = make.product(shop, code="eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([["eggs", "", "38"]], FIGURES), ImportKind.FIGURES)
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == eggs.id).values(on_hand=38))
    done = applied(owner, shop, found)
    assert (done.rows_applied, done.rows_failed, on_hand("eggs")) == (1, 0, 38)


def test_who_lost_the_role_applies_nothing(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([row("plum")]))
    perform(operations.decide, owner, found.ref, Choice.GOOD)
    with transaction() as session:
        session.execute(sa.delete(RoleGrant).where(RoleGrant.user_id == owner.user_id))
    jobs.apply(found.id)
    done = look(shop, found.ref)
    assert (done.state, done.rows_applied, variant("coop-plum")) == (ImportState.DONE, 0, None)
    assert done.refusal is not None


def test_a_file_of_no_use_is_refused_with_a_sentence(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([["a", "b"]], ["wrong", "heads"]))
    assert found.state is ImportState.REFUSED
    assert "We do not know the columns" in found.refusal["message"]
    assert reading().scalar(sa.select(sa.func.count()).select_from(ImportFile)) == 0


def test_a_file_that_makes_us_stumble_is_refused_and_holds_up_nobody(owner: Actor, shop: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(*_told: Any) -> Any:
        raise AssertionError("of a library")

    monkeypatch.setattr(files, "open_sheet", stumbles)
    found = brought(owner, shop, as_csv([row("plum")]))
    assert found.state is ImportState.REFUSED
    assert "cannot be read" in found.refusal["message"]


def test_a_sheet_that_is_being_read_can_be_dropped(owner: Actor, shop: Merchant) -> None:
    ref = perform(operations.bring, owner, shop.id, ImportKind.GOODS, "x.csv", as_csv([row("plum")]), {}, "once")
    perform(operations.drop, owner, ref)
    jobs.check(look(shop, ref).id)
    found = look(shop, ref)
    assert (found.state, rows_of(found)) == (ImportState.DROPPED, [])


@pytest.mark.parametrize("trouble", [IntegrityError("insert", {}, Exception()), QuantityOutOfRange(least=0, most=1)])
def test_what_can_never_be_applied_ends_with_a_sentence(
    owner: Actor, shop: Merchant, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def breaks(*_told: Any) -> Any:
        raise trouble

    monkeypatch.setattr(applying, "_list", breaks)
    done = applied(owner, shop, brought(owner, shop, as_csv([row("plum")])))
    assert (done.state, done.rows_applied, variant("coop-plum")) == (ImportState.DONE, 0, None)
    assert "cannot be applied" in done.refusal["message"]


def test_what_is_busy_is_tried_again(owner: Actor, shop: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_told: Any) -> Any:
        raise Busy()

    found = brought(owner, shop, as_csv([row("plum")]))
    with monkeypatch.context() as broken:
        broken.setattr(applying, "_list", busy)
        with pytest.raises(Busy):
            applied(owner, shop, found)
    jobs.apply(found.id)
    assert (look(shop, found.ref).rows_applied, on_hand("coop-plum")) == (1, 60)


def test_a_new_size_of_a_listed_product_says_of_it_what_is_listed(owner: Actor, shop: Merchant, make: Factories) -> None:
    listed = make.product(shop, code="rice", price=2_000)
    draft = row("rice-5", product="rice", name="", category="", origin="", days="", state="草稿")
    other = row("rice-6", product="rice", name="别的米", category="", origin="", days="")
    silent = row("rice-7", product="rice", name="", category="", origin="", days="")
    found = [brought(owner, shop, as_csv([one])) for one in (draft, other, silent)]
    assert [wrongs(rows_of(one)[0]) for one in found] == [[("state", "of_listed_product")], [("name_zh", "of_listed_product")], []]
    (shown,) = rows_of(found[2])
    assert (shown.verdict, shown.values["state"]) == (Verdict.NEW, "on_sale"), "shown as it will be"
    applied(owner, shop, found[2])
    made = variant("coop-rice-7")
    assert made is not None
    assert (made.product_id, reading().get_one(Product, made.product_id).state) == (listed.product_id, ProductState.ON_SALE)


def test_long_heads_are_kept_short(owner: Actor, shop: Merchant) -> None:
    found = brought(owner, shop, as_csv([[*row("plum"), "", ""]], [*OWN, "x" * 30_000, "其他"]))
    assert [len(head) for head in found.headers["?"]] == [40, 2]


def test_a_repaired_file_sent_from_the_same_page_is_another_import(owner: Actor, shop: Merchant) -> None:
    def sent(content: bytes, kind: ImportKind = ImportKind.GOODS, **usual: Any) -> str:
        return perform(operations.bring, owner, shop.id, kind, "x.csv", content, usual, "once")

    first, repaired = as_csv([row("plum", price="x")]), as_csv([row("plum")])
    assert sent(first) == sent(first)
    refs = [sent(first), sent(repaired), sent(repaired, decimal="comma"), sent(repaired, ImportKind.FIGURES)]
    assert len(set(refs)) == 4


def test_a_yes_to_the_price_is_none_to_a_shortage(owner: Actor, shop: Merchant, make: Factories) -> None:
    eggs = make.product(shop, code="eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([["eggs", "200", "38"]], FIGURES), ImportKind.FIGURES)
    assert [question["column"] for question in rows_of(found)[0].questions] == ["price"]
    perform(operations.say_sure, owner, found.ref, None)
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == eggs.id).values(reserved=39))
    done = applied(owner, shop, found)
    made = variant("eggs")
    assert made is not None
    assert (done.rows_applied, done.rows_failed, on_hand("eggs"), made.price) == (0, 1, 40, Money(2_000))


def test_only_who_prices_drops_new_prices_of_another(owner: Actor, clerk: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000, on_hand=40)
    prices = brought(owner, shop, as_csv([["eggs", "21", "40"]], FIGURES), ImportKind.FIGURES)
    with pytest.raises(Forbidden):
        perform(operations.drop, clerk, prices.ref)
    counts = brought(owner, shop, as_csv([["eggs", "", "38"]], FIGURES), ImportKind.FIGURES)
    perform(operations.drop, clerk, counts.ref)
    perform(operations.drop, owner, prices.ref)
    assert [look(shop, one.ref).state for one in (prices, counts)] == [ImportState.DROPPED] * 2


def test_goods_move_for_a_cause_that_never_comes_twice(owner: Actor, shop: Merchant, make: Factories) -> None:
    make.product(shop, code="eggs", price=2_000, on_hand=40)
    found = brought(owner, shop, as_csv([row("plum"), row("eggs", product="", name="", origin="", days="", category="", stock="38")]))
    applied(owner, shop, found)
    causes = reading().scalars(sa.select(StockMovement.cause).where(StockMovement.cause.like("import:%")).order_by(StockMovement.id)).all()
    assert causes == [f"import:{found.ref}:2", f"import:{found.ref}:3"]


def test_at_most_some_sheets_of_a_shop_are_open(owner: Actor, shop: Merchant) -> None:
    for number in range(5):
        brought(owner, shop, as_csv([row(f"plum-{number}")]))
    with pytest.raises(TooManyOpen):
        brought(owner, shop, as_csv([row("plum-6")]))


def test_reading_goes_on_after_the_last_row_that_was_kept(owner: Actor, shop: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "AT_ONCE", 3)
    ref = perform(operations.bring, owner, shop.id, ImportKind.GOODS, "x.csv", as_csv([row(f"p{n}") for n in range(8)]), {}, "once")
    real, calls = operations.keep_rows, []

    def dies(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(operations, "keep_rows", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.check(look(shop, ref).id)
    found = look(shop, ref)
    assert (found.state, found.rows_read, found.rows_total) == (ImportState.READING, 6, 8)
    jobs.check(found.id)
    found = look(shop, ref)
    assert (found.state, found.rows_read, [one.number for one in rows_of(found)]) == (ImportState.CHECKED, 8, list(range(2, 10)))


def test_columns_are_those_of_the_template() -> None:
    assert len(OWN) == len(row("x"))


@pytest.mark.parametrize("kind", [operations.CHECK, operations.APPLY])
def test_work_that_was_given_up_ends_its_import_and_says_so(owner: Actor, shop: Merchant, kind: str) -> None:
    content = as_csv([row("a")])
    ref = perform(operations.bring, owner, shop.id, ImportKind.GOODS, "goods.csv", content, {}, "once")
    if kind == operations.APPLY:
        jobs.check(look(shop, ref).id)
        perform(operations.decide, owner, ref, Choice.GOOD)
    jobs.end_what_was_given_up()
    assert look(shop, ref).refusal is None, "its work still waits for its turn"
    killed = sa.update(Job).where(Job.dedupe_key == f"{kind}:{look(shop, ref).id}").values(state=JobState.DEAD)
    finish_reading()
    with transaction() as session:
        session.execute(killed)
    jobs.end_what_was_given_up()
    found = look(shop, ref)
    assert found.state is (ImportState.DONE if kind == operations.APPLY else ImportState.REFUSED)
    assert found.refusal
    assert found.rows_applied == 0
    jobs.apply(found.id)  # put back by an operator all the same: it is over
    assert look(shop, ref).rows_applied == 0
