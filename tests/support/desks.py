"""People at the pages, without a browser: `desk = Desk.signed_in(house, KEEPER)`, `desk.send("/station/arrivals", ...)`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

import requests

from tests.support.callers import authenticator
from tests.support.running import House

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Desk:
    """A cookie jar that reads pages and sends their forms."""

    house: House
    line: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    @classmethod
    def signed_in(cls, house: House, phone: str, *, staff: bool = True) -> Desk:
        """Sign in by phone and code, staff by their authenticator as well, as people do on the pages."""
        desk = cls(house)
        desk.line.trust_env = False
        desk.line.headers["Connection"] = "close"
        desk.line.cookies.set("locale", "en")
        before = house.make_room_for_code(phone)
        desk.read("/sign-in")
        desk.send("/sign-in", phone=phone, next="/me")
        desk.send("/sign-in/code", code=house.new_code(phone, before))
        if staff:
            desk.read("/second-factor")
            desk.send("/second-factor", totp=authenticator(house, phone), next="/me")
        return desk

    def read(self, path: str) -> str:
        """The page's text; its form token is kept for the next `send`."""
        answer = self.line.get(self.house.address() + path, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return self.keep(answer)

    def send(self, path: str, **fields: str | list[str]) -> str:
        """Send a form; the page it leads to."""
        answer = self.line.post(self.house.address() + path, data={"csrf_token": self.token, **fields}, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code}: {words_of(answer.text)[:600]}"
        return self.keep(answer)

    def keep(self, answer: requests.Response) -> str:
        if found := TOKEN.search(answer.text):
            self.token = unescape(found[1])
        return answer.text

    def another_line(self) -> Desk:
        """The same browser on another connection, for two things at once."""
        made = Desk(self.house, token=self.token)
        made.line.trust_env = False
        made.line.headers["Connection"] = "close"
        made.line.cookies.update(self.line.cookies)
        return made

    def receive(self, *sub_orders: str) -> None:
        """The deliveries that bring these sub-orders have arrived."""
        self.read("/station/")
        found = {self.house.number("SELECT cycle_id FROM sub_orders WHERE number = :number", number=number) for number in sub_orders}
        self.send("/station/arrivals", cycles=[str(cycle) for cycle in sorted(found)], early="1")

    def close(self) -> None:
        self.line.close()


def words_of(page: str) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
