"""A plain caller of the biller simulator, for tests that set it up and look into its books."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

LOST = (TimeoutError, http.client.RemoteDisconnected, ConnectionError)


class Channel:
    """What the shop is to the biller: a caller with a key and a time-out."""

    def __init__(self, address: str, key: str = "demo-biller-key") -> None:
        """`key` is sent with every call unless the call names another."""
        self.host = address.removeprefix("http://")
        self.key = key

    def call(self, method: str, path: str, body: Any = None, timeout: float = 10, key: str | None = None) -> tuple[int, Any]:
        """Status and body of one call; JSON is parsed. Raises TimeoutError or a ConnectionError when no answer comes."""
        line = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            content = None if body is None else json.dumps(body)
            line.request(method, path, content, {"X-Biller-Key": self.key if key is None else key, "Content-Type": "application/json"})
            answer = line.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if answer.headers.get_content_type() == "application/json" else text
        finally:
            line.close()

    def control(self, **wishes: Any) -> dict[str, Any]:
        """Set these controls; the state afterwards."""
        status, state = self.call("POST", "/_control", wishes)
        assert status == 200, state
        return dict(state)

    def query(self, biller: str, account_no: str) -> dict[str, Any]:
        """What an account owes."""
        status, found = self.call("POST", f"/billers/{biller}/query", {"account_no": account_no})
        assert status == 200, found
        return dict(found)

    def pay(self, biller: str, serial: str, account_no: str, timeout: float = 10, **what: Any) -> tuple[int, Any]:
        """Status and answer of one payment."""
        return self.call("POST", f"/billers/{biller}/payments", {"serial": serial, "account_no": account_no, **what}, timeout)

    def pay_all_due(self, biller: str, serial: str, account_no: str, timeout: float = 10) -> tuple[int, Any]:
        """Look an account up and pay everything that is due."""
        due = self.query(biller, account_no)
        references = [bill["bill_ref"] for bill in due["periods"]]
        return self.pay(biller, serial, account_no, timeout, bill_refs=references, total_fen=due["total_fen"])

    def inquire(self, biller: str, serial: str) -> tuple[int, Any]:
        """Status and answer of an inquiry."""
        return self.call("GET", f"/billers/{biller}/payments/{serial}")

    def books(self) -> dict[str, Any]:
        """The biller's own books."""
        return dict(self.call("GET", "/_control/books")[1])

    def posted(self) -> dict[str, int]:
        """How often each posted serial was written off."""
        return {payment["serial"]: payment["times_posted"] for payment in self.books()["payments"]}

    def wait_until_posted(self, biller: str, serial: str, seconds: float = 8) -> dict[str, Any]:
        """The posted answer of a payment, asked for until it is there. Raises AssertionError when it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status, answer = self.inquire(biller, serial)
            if status == 200 and answer["status"] == "posted":
                return dict(answer)
            time.sleep(0.1)
        raise AssertionError("never posted")
