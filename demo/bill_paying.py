"""Residents save their customer numbers and pay their bills; the billers' answers are made up here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from demo.agenda import Agenda, Deed
from demo.city import City
from demo.households import Household, last_billed, periods_due, step
from demo.shopping import have_enough
from shop.bills import operations as bills
from shop.bills import queries
from shop.bills.answers import Answer, Statement
from shop.bills.operations import Wish
from shop.kernel import clock
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.bills import AttemptOutcome, LookUpOutcome
from shop.platform.actor import Actor
from shop.wallet.rules import Proof

SETTLE_WINDOW = timedelta(seconds=60)
ASKED_IN_VAIN = (1, 5, 30, 120, 360, 720, 1_441, 1_700)  # minutes after sending, for the one whose end stays unknown


@dataclass(frozen=True, slots=True)
class Number:
    """A customer number somebody saves, and how a payment of it ends: "posted", "refused", "unknown"."""

    phone: str
    biller: str
    account_no: str
    label: str = ""
    ending: str = "posted"


# The last digit decides how many periods are due (the biller simulator's rule): 1 none, 5 and 6 one, 7 two, 8 three.
NUMBERS = (
    Number("13800000001", "power", "5110010015", "家里的电"),
    Number("13800000001", "water-city", "60010017", "家里的水"),
    Number("13800000001", "property-tianchenghu", "3-2-1201", "物业费"),
    Number("13800000001", "broadband", "08322100011", "宽带"),
    Number("13800000002", "power", "5110020018", "家"),
    Number("13800000002", "refuse", "70020013", "垃圾费", "refused"),
    Number("13800000003", "water-city", "60030016", "水费"),
    Number("13800000003", "property-yuxiyuan", "5-1-302", "物业费", "unknown"),
    Number("13800000003", "power", "5110030011", "电费"),
)
TOP_UPS = (("13800000001", "mobile", "13800000001", 50), ("13800000003", "mobile", "13800000003", 30))


class BillPaying:
    """The bills of the city."""

    def __init__(self, agenda: Agenda, city: City) -> None:
        self.agenda = agenda
        self.chance = agenda.chance
        self.city = city
        self.requests = 0

    def plan(self, days: int) -> None:
        """Put the bills of the whole past on the agenda: every number is saved and paid up to what is due now."""
        for number in (*NUMBERS, *self._numbers_of_neighbours()):
            ago = 2 if number.ending == "unknown" else self.chance.randint(1, max(days - 1, 1))
            day = self.agenda.today - timedelta(days=ago)
            self.agenda.on(day, "8:30", self.saves_and_pays(number), within_minutes=700)
        for phone, biller, account_no, yuan in TOP_UPS:
            day = self.agenda.today - timedelta(days=self.chance.randint(1, max(days - 1, 1)))
            self.agenda.on(day, "19:00", self.tops_up(self.city.residents[phone], biller, account_no, yuan), within_minutes=90)

    def _numbers_of_neighbours(self) -> list[Number]:
        named = {number.phone for number in NUMBERS}
        found = []
        for place, (phone, buyer) in enumerate(self.city.residents.items(), start=1):
            if phone not in named and buyer.verification_level and self.chance.random() < 0.6:
                biller = self.chance.choice(("power", "water-city", "broadband", "refuse"))
                digit = self.chance.choices("15678", (4, 3, 2, 2, 1))[0]
                prefix = {"power": "511", "water-city": "6", "broadband": "0832", "refuse": "7"}[biller]
                room = {"power": 6, "water-city": 6, "broadband": 6, "refuse": 6}[biller]
                ending = "refused" if self.chance.random() < 0.05 else "posted"
                found.append(Number(phone, biller, f"{prefix}{place:0{room}d}{digit}", ending=ending))
        return found

    def saves_and_pays(self, number: Number) -> Deed:
        def pay(session: Session) -> None:
            payer = self.city.residents[number.phone]
            account = bills.save_account(session, payer, number.biller, number.account_no, number.label)
            look_up = queries.last_look_up(session, payer, account.ref)
            assert look_up is not None
            household = Household(number.biller, number.account_no)
            statement = self.statement(session, household, older=1 if number.ending == "posted" else 0)
            bills.record_answer(session, look_up.id, LookUpOutcome.FOUND, statement)
            view = queries.get_account(session, payer, account.ref)
            still_due = periods_due(number.account_no)
            chosen = view.due[: len(view.due) - still_due] if number.ending == "posted" else view.due[:1]
            if chosen:
                refs = tuple(bill.ref for bill in chosen)
                self.pay(session, payer, Money.total(bill.total for bill in chosen), account.ref, number.ending, refs=refs)

        return pay

    def statement(self, session: Session, household: Household, older: int) -> Statement:
        """What is due: the months the simulator will ask for now, and so many before them, which are paid in this past.

        Before the first of a month that month is not known yet: then what is due is the one before it.
        """
        biller = queries.get_biller(session, household.biller)
        newest, seen = last_billed(self.agenda.today), last_billed(clock.today())
        count = periods_due(household.account_no) + older
        months = [month for month in (step(newest, -back) for back in reversed(range(count))) if month <= seen] or [seen]
        due = tuple(household.bill(month, clock.today(), biller.late_fee_bps_per_day) for month in months)
        return Statement(household.holder, household.address, Money(0), due)

    def tops_up(self, payer: Actor, biller: str, account_no: str, yuan: int) -> Deed:
        def pay(session: Session) -> None:
            account = bills.save_account(session, payer, biller, account_no, "")
            self.pay(session, payer, Money(yuan * 100), account.ref, "posted")

        return pay

    def pay(
        self, session: Session, payer: Actor, total: Money, account_ref: str, ending: str, refs: tuple[str, ...] = ()
    ) -> None:
        """Pay, and have the biller answer some seconds later."""
        self.requests += 1
        wish = Wish(
            seen_total=total, request_key=f"demo-{self.requests}", account_ref=account_ref, bill_refs=refs, amount=None if refs else total
        )
        try:
            with session.begin_nested():
                have_enough(session, payer, total)
                payment = bills.pay(session, payer, wish, Proof(payer.signed_in_id(), has_code=True))
        except ShopError:  # above the limit of a small wallet
            session.expunge_all()
            return
        self.agenda.after(0.1, self.sends(payment.id, ending))
        if ending == "unknown":
            for minutes in ASKED_IN_VAIN:
                self.agenda.after(minutes + 0.2, self.sends(payment.id, ending))

    def sends(self, payment_id: int, ending: str) -> Deed:
        """One call to the biller, and its answer."""

        def send(session: Session) -> None:
            call = bills.begin(session, payment_id, SETTLE_WINDOW)
            if call is None:
                return
            if ending == "posted":
                answer = Answer(AttemptOutcome.ACCEPTED, biller_serial=f"S{payment_id:012d}", receipt_no=f"DEMO{payment_id:010d}")
            elif ending == "refused":
                answer = Answer(AttemptOutcome.REJECTED, detail="refused")
            elif call.number == 1:
                answer = Answer(AttemptOutcome.UNCLEAR, detail="time-out")
            else:
                answer = Answer(AttemptOutcome.PROCESSING)
            session.expunge_all()
            bills.finish(session, call, answer, SETTLE_WINDOW)

        return send
