"""The worked example of docs/algorithms/ledger.md, row by row."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from shop.kernel.clock import now
from shop.kernel.db import perform, reading
from shop.models.bills import AmountRule, Biller, BillerFlow
from shop.models.wallet import LedgerAccount, TransferKind, WalletClass
from shop.wallet import operations
from tests.support.factories import Factories
from tests.support.money import balance, move


def test_the_worked_example(app: Flask, make: Factories) -> None:
    li, co_op = make.user(), make.merchant()
    water = make.save(
        Biller(
            code="water", name_zh="自来水", name_en="Water", category="water", mode="postpaid", flow=BillerFlow.FETCH_PAY,
            account_pattern="[0-9]+", amount_rule=AmountRule.EXACT, channel="http", late_fee_bps_per_day=0, position=1,
        )
    )
    perform(operations.open_wallet, li.id, WalletClass.II)
    wallet, merchant, biller = f"wallet:{li.id}", f"merchant:{co_op.id}", f"biller:{water.id}"
    rows: list[tuple[TransferKind, int, str, int, str, int]] = [
        (TransferKind.OPENING, 50_000, "custodian", -50_000, wallet, 50_000),
        (TransferKind.TOP_UP, 10_000, "provider", -10_000, wallet, 60_000),
        (TransferKind.PROVIDER_FEE, 290, "provider_fee", -290, "provider", -9_710),
        (TransferKind.PAYMENT, 2_500, wallet, 57_500, "escrow", 2_500),
        (TransferKind.PAYMENT, 4_000, "provider", -13_710, "escrow", 6_500),
        (TransferKind.PROVIDER_FEE, 116, "provider_fee", -406, "provider", -13_594),
        (TransferKind.REFUND, 300, "escrow", 6_200, wallet, 57_800),
        (TransferKind.REFUND, 500, "escrow", 5_700, "refund_due", 500),
        (TransferKind.REFUND, 500, "refund_due", 0, "provider", -13_094),
        (TransferKind.RELEASE, 2_134, "escrow", 3_566, merchant, 2_134),
        (TransferKind.COMMISSION, 66, "escrow", 3_500, "commission", 66),
        (TransferKind.BILL_HOLD, 8_640, wallet, 49_160, "bill_hold", 8_640),
        (TransferKind.BILL_POSTED, 8_640, "bill_hold", 0, biller, 8_640),
        (TransferKind.BILL_HOLD, 3_000, wallet, 46_160, "bill_hold", 3_000),
        (TransferKind.REFUND, 3_000, "bill_hold", 0, wallet, 49_160),
        (TransferKind.PAYMENT, 1_800, "provider", -14_894, "suspense", 1_800),
        (TransferKind.REFUND, 1_800, "suspense", 0, "refund_due", 1_800),
        (TransferKind.REFUND, 1_800, "refund_due", 0, "provider", -13_094),
        (TransferKind.DISPUTE, 3_500, "disputed", -3_500, "provider", -9_594),
        (TransferKind.PROVIDER_FEE, 10_000, "provider_fee", -10_406, "provider", 406),
        (TransferKind.DISPUTE, 3_500, "provider", -3_094, "disputed", 0),
    ]
    for number, (kind, fen, debit, debit_after, credit, credit_after) in enumerate(rows, start=1):
        move(f"example:{number}", debit, credit, fen, kind=kind, at=now())
        assert (number, balance(debit), balance(credit)) == (number, debit_after, credit_after)
    reading().rollback()
    after = {code: balance(code) for code in reading().scalars(sa.select(LedgerAccount.code)).all()}
    owed = {wallet: 49_160, "escrow": 3_500, merchant: 2_134, "commission": 66, biller: 8_640}
    held_for_us = {"custodian": -50_000, "provider": -3_094, "provider_fee": -10_406}
    assert {code: fen for code, fen in after.items() if fen} == {**owed, **held_for_us}
    assert sum(after.values()) == 0
