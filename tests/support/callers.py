"""People who use the API of a running house: `mei = Caller.signed_in(house, "13800000001")`, `mei.post("/orders", {...})`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.running import House, wait_until

RESIDENT, SECOND_RESIDENT, ELDER = "13800000001", "13800000002", "13800000003"
ORANGE_OWNER, KEEPER, FOREIGN_KEEPER = "13800000011", "13800000021", "13800000022"
FINANCE = "13800000032"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PIN = "246810"


@dataclass(frozen=True)
class Said:
    """What the API answered."""

    status: int
    body: Any
    replayed: bool = False

    def ok(self, status: int) -> Any:
        """The body, if the answer has this status."""
        assert self.status == status, f"{self.status}: {self.body}"
        return self.body

    def refused(self, status: int, code: str) -> Any:
        """The problem, if it is this one."""
        assert (self.status, self.body.get("code")) == (status, code), f"{self.status}: {self.body}"
        return self.body


def authenticator(house: House, phone: str) -> str:
    """What somebody's authenticator app shows (RFC 6238), in real time; a code that was used is not used again."""
    secret = house.totp_secret or TOTP_SECRET
    while True:
        now = int(time.time()) // 30
        step = max(now, house.totp_steps.get(phone, 0) + 1)
        if step <= now + 1:  # an app may be half a minute ahead
            break
        time.sleep(1)
    house.totp_steps[phone] = step
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


@dataclass
class Caller:
    """One person's phone."""

    house: House
    phone: str
    token: str = ""
    line: requests.Session = field(default_factory=requests.Session)

    @classmethod
    def signed_in(cls, house: House, phone: str, *, second_factor: bool = False) -> Caller:
        """Sign in with the code that comes by text message."""
        made = cls(house, phone)
        made.line.trust_env = False
        before = house.make_room_for_code(phone)
        made.post("/auth/codes", {"phone": phone}).ok(202)
        proof = {"phone": phone, "code": house.new_code(phone, before)}
        if second_factor:
            proof["totp"] = authenticator(house, phone)
        made.token = made.post("/auth/tokens", proof).ok(200)["access_token"]
        return made

    def call(self, method: str, path: str, body: Any = None, key: str | None = None, timeout: float = 30, **query: Any) -> Said:
        """One call. Raises `requests.ConnectionError` when the line breaks."""
        headers = {"Accept-Language": "en", "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{self.house.address()}/api/v1{path}"
        answer = self.line.request(method, url, json=body, headers=headers, params=query or None, timeout=timeout)
        content = answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text
        return Said(answer.status_code, content, "Idempotent-Replayed" in answer.headers)

    def get(self, path: str, **query: Any) -> Said:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any = None, key: str | None = None, timeout: float = 30) -> Said:
        return self.call("POST", path, body, key, timeout)

    def put(self, path: str, body: Any, key: str | None = None) -> Said:
        return self.call("PUT", path, body, key)

    def close(self) -> None:
        self.line.close()

    def another_line(self) -> Caller:
        """The same person on another connection, for two things at once."""
        made = Caller(self.house, self.phone, self.token)
        made.line.trust_env = False
        return made

    def again(self, method: str, path: str, body: Any, key: str) -> Said:
        """The same request as before, repeated for as long as the shop says that the first is still being worked on."""

        def answered() -> Said | None:
            said = self.call(method, path, body, key)
            return None if said.status == 409 and said.body.get("code") == "idempotency_in_flight" else said

        return wait_until(answered, 20, f"an answer to {method} {path}")  # type: ignore[return-value]

    # --- words of the day ---

    def balance(self) -> int:
        """What the wallet holds, in fen."""
        return int(self.get("/wallet").ok(200)["balance_minor"])

    def fill_cart(self, wanted: dict[str, int]) -> dict[str, Any]:
        """Put these goods into the cart by code, and nothing else; the cart."""
        cart: dict[str, Any] = self.get("/cart").ok(200)
        for line in [line for block in cart["blocks"] for line in block["lines"] if line["variant"] not in wanted]:
            self.call("DELETE", f"/cart/lines/{line['variant']}").ok(200)
        for code, quantity in wanted.items():
            cart = self.put(f"/cart/lines/{code}", {"quantity": quantity}).ok(200)
        return cart

    def quote(self, point: str = "tianchenghu") -> dict[str, Any]:
        found: dict[str, Any] = self.post("/checkout/quotes", {"pickup_point": point, "coupons": []}).ok(201)
        return found

    def order_body(self, quote: dict[str, Any], method: str = "wallet") -> dict[str, Any]:
        payment = {"method": method, **({"pin": PIN} if method == "wallet" else {})}
        return {"quote_id": quote["quote_id"], "seen_total_minor": quote["total_minor"], "payment": payment}

    def buy(self, wanted: dict[str, int], method: str = "wallet") -> dict[str, Any]:
        """From empty cart to order."""
        self.fill_cart(wanted)
        placed: dict[str, Any] = self.post("/orders", self.order_body(self.quote(), method), key=new_key()).ok(201)
        return self.with_page(placed) if method == "stripe" else placed

    def with_page(self, placed: dict[str, Any]) -> dict[str, Any]:
        """An order as it was answered, with the page it is paid on once that is open."""

        def url() -> str | None:
            found: str | None = self.order(placed["number"])["payment"]["url"]
            return found

        at_once = placed["payment"].get("url")
        return {**placed, "payment": {**placed["payment"], "url": at_once or wait_until(url, 15, "a page to pay on", every=0.05)}}

    def top_up(self, fen: int) -> dict[str, Any]:
        """Begin to top up; the payment once the page it is paid on is open."""
        ref = self.post("/wallet/top-ups", {"amount_minor": fen}, key=new_key()).ok(201)["ref"]

        def opened() -> dict[str, Any] | None:
            found: dict[str, Any] = self.get(f"/payments/{ref}").ok(200)
            return found if found["url"] else None

        return wait_until(opened, 15, "a page to pay on", every=0.05)  # type: ignore[return-value]

    def wait_for_payment(self, ref: str, state: str, seconds: float = 20) -> dict[str, Any]:
        """A payment once it is in a state; looking at it has the provider asked."""

        def there() -> dict[str, Any] | None:
            found: dict[str, Any] = self.get(f"/payments/{ref}").ok(200)
            return found if found["state"] == state else None

        return wait_until(there, seconds, f"payment {ref} becoming {state}", every=0.2)  # type: ignore[return-value]

    def order(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/orders/{number}").ok(200)
        return found

    def wait_for_order(self, number: str, state: str, seconds: float = 15) -> dict[str, Any]:
        """The order once it is in a state."""
        return wait_until(
            lambda: found if (found := self.order(number))["state"] == state else None, seconds, f"order {number} becoming {state}"
        )  # type: ignore[return-value]

    def add_bill_account(self, account_no: str, biller: str = "power") -> tuple[str, dict[str, Any]]:
        """Save a customer number and wait for what is due; the account's id and the answer."""
        account = self.post("/bill-accounts", {"biller": biller, "account_no": account_no, "label": ""}, key=new_key()).ok(201)["id"]

        def fetched() -> dict[str, Any] | None:
            said = self.post(f"/bill-accounts/{account}/fetch")
            return said.body if said.status == 200 else None

        return account, wait_until(fetched, 20, f"the bills of {account_no}", every=0.3)  # type: ignore[return-value]

    def bill_body(self, due: dict[str, Any]) -> dict[str, Any]:
        """Pay everything that is due from the wallet."""
        return {
            "bill_ids": [bill["id"] for bill in due["bills"]], "seen_total_minor": due["total_minor"],
            "payment": {"method": "wallet", "pin": PIN},
        }  # fmt: skip

    def wait_for_bill(self, ref: str, *states: str, seconds: float = 30) -> dict[str, Any]:
        """The bill payment once it is in one of the states."""

        def there() -> dict[str, Any] | None:
            found = self.get(f"/bill-payments/{ref}").ok(200)
            return found if found["state"] in states else None

        return wait_until(there, seconds, f"bill payment {ref} becoming {' or '.join(states)}", every=0.3)  # type: ignore[return-value]


    # --- words of staff ---

    def pack(self, placed: dict[str, Any], grams: int | None = None) -> int:
        """Pack every part of an order, what goes by weight at `grams` (else as ordered); what went back to the buyer in all."""
        back = 0
        for part in placed["sub_orders"]:
            lines = self.get(f"/merchant/orders/{part['number']}").ok(200)["lines"]
            told = {str(line["line"]): grams or line["nominal_grams"] for line in lines if line["priced_by_weight"]}
            back += self.post(f"/merchant/orders/{part['number']}/pack", {"weights": told}, key=new_key()).ok(200)["refunded_minor"]
        return back

    def receive(self, *sub_orders: str) -> Any:
        """The batches that bring these sub-orders have arrived, all at once."""
        named = "SELECT b.code FROM batches b JOIN sub_orders s ON s.cycle_id = b.cycle_id WHERE s.number = :number"
        codes = sorted({str(row[0]) for number in sub_orders for row in self.house.rows(named, number=number)})
        return self.post("/station/batches/arrivals", {"batches": codes}, key=new_key()).ok(200)

    def hand_over(self, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
        """Tell hand-overs; outcome and reason of each."""
        said = self.post("/station/handovers", {"events": list(events)}, key=new_key()).ok(200)
        return [(outcome["outcome"], outcome["reason"]) for outcome in said["outcomes"]]

    def scan(self, shown: str, **values: Any) -> dict[str, Any]:
        """What a keeper's device says about a pass it was shown."""
        return {"client_id": f"device-{new_key()}", "pass": shown, "device_time": self.house.now().isoformat(), **values}


def new_key() -> str:
    """An Idempotency-Key nobody used."""
    return uuid.uuid4().hex
