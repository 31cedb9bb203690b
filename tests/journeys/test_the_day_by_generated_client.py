"""A day told through a client that a public generator wrote from the API's description: what strangers' programs rely on."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.support.callers import KEEPER, ORANGE_OWNER, PIN, RESIDENT, Caller, authenticator, new_key
from tests.support.running import House, wait_until

pytestmark = pytest.mark.slow

NAME = "linli_client"


@pytest.fixture(scope="module")
def client(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The generated package, imported; the generator must not have had to leave anything out."""
    folder = tmp_path_factory.mktemp("generated")
    description = house.web.get(f"{house.address()}/api/v1/openapi.json", timeout=30)
    (folder / "openapi.json").write_bytes(description.content)
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"]
    command += ["--output-path", NAME, "--config", "config.yaml", "--fail-on-warning"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    made = Client(importlib.import_module(NAME), house)
    try:
        yield made
    finally:
        made.close()
        sys.path.remove(str(folder))


class Client:
    """The generated functions and models by name, for a running house."""

    def __init__(self, package: ModuleType, house: House) -> None:
        self.package = package
        self.house = house
        self.lines: list[Any] = []

    def close(self) -> None:
        for line in self.lines:
            line.get_httpx_client().close()

    def model(self, name: str, **values: Any) -> Any:
        return getattr(importlib.import_module(f"{NAME}.models"), name).from_dict(values)

    def call(self, function: str, who: Any, **values: Any) -> Any:
        """The parsed answer of one generated function, such as `orders.post_orders`."""
        return importlib.import_module(f"{NAME}.api.{function}").sync(client=who, **values)

    def anyone(self) -> Any:
        self.lines.append(self.package.Client(base_url=self.house.address(), raise_on_unexpected_status=True))
        return self.lines[-1]

    def signed_in(self, phone: str, *, second_factor: bool = False) -> Any:
        """The generated client of somebody who signed in through it."""
        stranger = self.anyone()
        before = self.house.make_room_for_code(phone)
        sent = self.call("signing_in.post_auth_codes", stranger, body=self.model("CodeRequest", phone=phone))
        assert sent.expires_in == 300
        proof = {"phone": phone, "code": self.house.new_code(phone, before)}
        if second_factor:
            proof["totp"] = authenticator(self.house, phone)
        tokens = self.call("signing_in.post_auth_tokens", stranger, body=self.model("TokenRequest", **proof))
        signed_in = self.package.AuthenticatedClient
        self.lines.append(signed_in(base_url=self.house.address(), token=tokens.access_token, raise_on_unexpected_status=True))
        return self.lines[-1]


def test_a_day_from_search_to_hand_over(house: House, client: Client) -> None:
    mei = client.signed_in(RESIDENT)
    owner = client.signed_in(ORANGE_OWNER, second_factor=True)
    keeper = client.signed_in(KEEPER, second_factor=True)

    found = client.call("catalogue.get_products", client.anyone(), q="血橙", community="tianchenghu")
    assert "blood-orange-loose" in {item.code for item in found.items}
    client.call("me.put_me_pickup_point", mei, body=client.model("PointChoice", pickup_point="tianchenghu"))
    for block in client.call("cart.get_cart", mei).blocks:
        for line in block.lines:
            client.call("cart.delete_cart_lines_variant_code", mei, variant_code=line.variant)
    cart = client.call(
        "cart.put_cart_lines_variant_code", mei, variant_code="blood-orange-loose", body=client.model("QuantityIn", quantity=2)
    )
    assert (cart.count, cart.can_be_ordered) == (2, True)

    money = client.call("wallet.get_wallet", mei).balance_minor
    quote = client.call("orders.post_checkout_quotes", mei, body=client.model("QuoteIn", pickup_point="tianchenghu", coupons=[]))
    assert isinstance(quote.expires_at, datetime.datetime)
    order = {
        "quote_id": quote.quote_id, "seen_total_minor": quote.total_minor, "payment": {"method": "wallet", "pin": "135790"},
    }  # fmt: skip
    refused = client.call("orders.post_orders", mei, body=client.model("OrderIn", **order), idempotency_key=new_key())
    assert (type(refused).__name__, refused.status, refused.code) == ("Problem", 402, "wrong_pin")
    order["payment"] = {"method": "wallet", "pin": PIN}
    placed = client.call("orders.post_orders", mei, body=client.model("OrderIn", **order), idempotency_key=new_key())
    assert (placed.state.value, placed.payment.state.value) == ("paid", "succeeded")
    assert client.call("wallet.get_wallet", mei).balance_minor == money - placed.total_minor
    assert placed.number in {item.number for item in client.call("orders.get_orders", mei).items}

    part = placed.sub_orders[0]
    to_pack = client.call("merchant.get_merchant_orders_number", owner, number=part.number)
    weights = {str(line.line): line.nominal_grams for line in to_pack.lines if line.priced_by_weight}
    packing = client.model("PackIn", weights=weights)
    packed = client.call("merchant.post_merchant_orders_number_pack", owner, number=part.number, body=packing)
    assert packed.state.value == "packed"
    arrival = client.model("ArrivalIn", batches=[packed.batch])
    assert client.call("station.post_station_batches_arrivals", keeper, body=arrival).ready >= 1

    shown = client.call("pick_up.get_passes", mei)
    event = {"client_id": new_key(), "pass": shown.code, "device_time": house.now().isoformat()}
    told = client.call("station.post_station_handovers", keeper, body=client.model("EventsIn", events=[event]))
    assert [outcome.outcome.value for outcome in told.outcomes] == ["accepted"]
    done = client.call("orders.get_orders_number", mei, number=placed.number)
    assert (done.state.value, type(done.paid_at)) == ("completed", datetime.datetime)
    house.settle()
    assert house.verify() == []


def test_a_bill_is_paid_and_receipted(house: House, client: Client) -> None:
    mei = client.signed_in(RESIDENT)
    number = "5110000065"
    account = client.call(
        "bills.post_bill_accounts", mei, body=client.model("AccountIn", biller="power", account_no=number), idempotency_key=new_key()
    )

    def due() -> Any:
        asked = client.call("bills.post_bill_accounts_ref_fetch", mei, ref=account.id)
        return asked if asked.state.value == "ready" else None

    bills = wait_until(due, 20, "what is due", every=0.3)
    assert [type(bill.due_on) for bill in bills.bills] == [datetime.date]
    payment = client.model(
        "BillPaymentIn", bill_ids=[bill.id for bill in bills.bills], seen_total_minor=bills.total_minor,
        payment={"method": "wallet", "pin": PIN},
    )  # fmt: skip
    made = client.call("bills.post_bill_payments", mei, body=payment, idempotency_key=new_key())

    def posted() -> Any:
        seen = client.call("bills.get_bill_payments_ref", mei, ref=made.ref)
        return seen if seen.state.value == "posted" else None

    assert wait_until(posted, 30, "the receipt", every=0.3).receipt.number
    assert house.verify() == []


def test_problems_say_what_is_needed_in_the_readers_language(house: House) -> None:
    stranger = Caller(house, RESIDENT)
    stranger.line.headers["Accept-Language"] = "zh"
    answer = stranger.line.post(
        f"{house.address()}/api/v1/auth/codes", json={"phone": 13800000001}, headers={"Accept-Language": "zh"}, timeout=10
    )
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": "phone", "message": "此项必须是文字。"}])
    answer = stranger.line.get(f"{house.address()}/api/v1/me", timeout=10)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    stranger.close()
