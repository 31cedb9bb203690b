"""Which papers a kind of shop needs, what is still missing, which steps an application takes, and how long things are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shop.kernel.errors import sentence
from shop.models.merchants import MerchantKind
from shop.models.onboarding import ApplicantKind, ApplicationState, Food, PaperKind
from shop.onboarding.errors import AnswerMissing, CommissionUnclear, EndMissing, PaperExpired

LONGEST_NAME, LONGEST_BUSINESS, LONGEST_PERSON, LONGEST_TEXT, LONGEST_REASON = 40, 120, 40, 500, 200
MOST_PAPERS, MOST_POINTS, MOST_MESSAGES = 12, 40, 100
MOST_COMMISSION = 3_000  # of 10,000

DRAFT_KEPT = timedelta(days=30)
"""After the last change. Then the draft and its papers are gone."""

PAPERS_KEPT = timedelta(days=30)
"""After an application was declined or taken back, so that somebody who tries again need not be asked twice what was wrong. Identity papers
also go so long after the approval: they have done their service."""

CLOSED_KEPT = timedelta(days=366)
"""What was declined or taken back, without its papers: who decided what, and why."""

KIND_WORDS: Mapping[ApplicantKind, tuple[str, str]] = {
    ApplicantKind.SHOP: (sentence("Shop or supermarket"), sentence("With a door of its own and a business licence")),
    ApplicantKind.STALL: (sentence("Stall in a market hall"), sentence("Vegetables, meat, fish or cooked food at a stall")),
    ApplicantKind.CO_OP: (sentence("Farmers' co-operative"), sentence("Sells what its members grow")),
    ApplicantKind.WHOLESALER: (sentence("Wholesaler"), sentence("Sells by the crate, to shops and neighbours")),
    ApplicantKind.SERVICE_PROVIDER: (sentence("Services to the home"), sentence("Cleaning, repairs, water and the like")),
    ApplicantKind.FARMER: (sentence("Own produce, without a licence"), sentence("You sell only what you grew or kept yourself")),
}

FOOD_WORDS: Mapping[Food, str] = {
    Food.NONE: sentence("No food"),
    Food.PRODUCE: sentence("Only fruit, vegetables, grain, eggs, meat or fish as they come from the farm"),
    Food.PACKAGED: sentence("Only packaged food"),
    Food.OTHER: sentence("Other food, such as cooked, cured or opened food"),
}

PAPER_WORDS: Mapping[PaperKind, tuple[str, str]] = {
    PaperKind.BUSINESS_LICENCE: (sentence("Business licence"), sentence("The one with the code of 18 characters, original or copy")),
    PaperKind.FOOD_PERMIT: (sentence("Food permit"), sentence("Or the filing of a small workshop or small shop")),
    PaperKind.PACKAGED_FILING: (sentence("Filing for packaged food"), sentence("For those who sell packaged food only")),
    PaperKind.PRODUCE_CERTIFICATE: (sentence("Certificate of good produce"), sentence("The promise that produce meets the standard")),
    PaperKind.ORIGIN_PROOF: (sentence("Proof of own land or animals"), sentence("From the village committee, or the contract of the land")),
    PaperKind.IDENTITY: (sentence("Identity card of who answers for it"), sentence("Removed 30 days after the decision")),
    PaperKind.OTHER: (sentence("Another paper"), sentence("What else you want to show")),
}

PAPER_ZH: Mapping[PaperKind, str] = {
    PaperKind.BUSINESS_LICENCE: "营业执照", PaperKind.FOOD_PERMIT: "食品经营许可证", PaperKind.PACKAGED_FILING: "仅销售预包装食品备案",
    PaperKind.PRODUCE_CERTIFICATE: "承诺达标合格证", PaperKind.ORIGIN_PROOF: "自产证明", PaperKind.IDENTITY: "身份证",
    PaperKind.OTHER: "材料",
}  # fmt: skip

SHOP_KINDS: Mapping[ApplicantKind, MerchantKind] = {
    ApplicantKind.SHOP: MerchantKind.SHOP,
    ApplicantKind.STALL: MerchantKind.MARKET_HALL,
    ApplicantKind.CO_OP: MerchantKind.CO_OP,
    ApplicantKind.WHOLESALER: MerchantKind.WHOLESALER,
    ApplicantKind.SERVICE_PROVIDER: MerchantKind.SERVICE_PROVIDER,
    ApplicantKind.FARMER: MerchantKind.SHOP,
}

ENDS = frozenset({PaperKind.FOOD_PERMIT})
"""Papers that always have a last day. On others it may stand as well."""

LICENCES = (PaperKind.BUSINESS_LICENCE, PaperKind.FOOD_PERMIT, PaperKind.PACKAGED_FILING, PaperKind.PRODUCE_CERTIFICATE)
"""Papers that say what a shop may do: their last days are kept with the shop."""

PERMITS: Mapping[Food | None, PaperKind | None] = {
    None: None, Food.NONE: None, Food.PRODUCE: None, Food.PACKAGED: PaperKind.PACKAGED_FILING, Food.OTHER: PaperKind.FOOD_PERMIT,
}  # fmt: skip
GROWERS = frozenset({ApplicantKind.CO_OP, ApplicantKind.FARMER})


def is_licensed(kind: ApplicantKind) -> bool:
    """Whether a kind needs a licence. Farmers who sell their own produce need none (E-commerce law, article 10)."""
    return kind is not ApplicantKind.FARMER


def foods_of(kind: ApplicantKind) -> tuple[Food, ...]:
    """What of food may be sold by a kind: without a licence nothing but produce."""
    return tuple(Food) if is_licensed(kind) else (Food.PRODUCE,)


def needed_papers(kind: ApplicantKind, food: Food | None) -> tuple[PaperKind, ...]:
    """The papers without which an application is not complete, in the order in which they are asked for."""
    permit = PERMITS[food]
    first = (PaperKind.BUSINESS_LICENCE,) if is_licensed(kind) else (PaperKind.ORIGIN_PROOF,)
    grown = (PaperKind.PRODUCE_CERTIFICATE,) if kind in GROWERS and food is Food.PRODUCE else ()
    return (*first, *((permit,) if permit else ()), *grown, PaperKind.IDENTITY)


class Subject(StrEnum):
    """What an application speaks of, a page each."""

    KIND = "kind"
    SHOP = "shop"
    REGISTER = "register"
    POINTS = "points"
    PAPERS = "papers"


SUBJECT_WORDS: Mapping[Subject, str] = {
    Subject.KIND: sentence("How you sell"),
    Subject.SHOP: sentence("Your shop"),
    Subject.REGISTER: sentence("Who you are"),
    Subject.POINTS: sentence("Where you deliver"),
    Subject.PAPERS: sentence("Papers"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was said so far, as far as it decides what is missing."""

    kind: ApplicantKind
    name_zh: str
    business_zh: str
    food: Food | None
    legal_name: str
    uscc: str
    person: str
    has_declared: bool
    point_ids: Sequence[int]


def missing_papers(kind: ApplicantKind, food: Food | None, papers: Collection[PaperKind]) -> tuple[PaperKind, ...]:
    return tuple(paper for paper in needed_papers(kind, food) if paper not in papers)


def missing(facts: Facts, papers: Collection[PaperKind]) -> tuple[Subject, ...]:
    """The subjects of which something is still to be said, in their order."""
    is_known = facts.legal_name and facts.uscc if is_licensed(facts.kind) else facts.has_declared
    done = {
        Subject.KIND: True,
        Subject.SHOP: bool(facts.name_zh and facts.business_zh and facts.food in foods_of(facts.kind)),
        Subject.REGISTER: bool(facts.person and is_known),
        Subject.POINTS: bool(facts.point_ids),
        Subject.PAPERS: not missing_papers(facts.kind, facts.food, papers),
    }
    return tuple(subject for subject in Subject if not done[subject])


WRITABLE = (ApplicationState.DRAFT, ApplicationState.ASKED)
"""In which an applicant changes what was said."""

OPEN = (*WRITABLE, ApplicationState.WAITING)


class Step(StrEnum):
    SUBMIT = "submit"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    ASK = "ask"
    APPROVE = "approve"
    DECLINE = "decline"


NEXT: Mapping[tuple[ApplicationState, Step], ApplicationState] = {
    (ApplicationState.DRAFT, Step.SUBMIT): ApplicationState.WAITING,
    (ApplicationState.ASKED, Step.ANSWER): ApplicationState.WAITING,
    (ApplicationState.WAITING, Step.ASK): ApplicationState.ASKED,
    (ApplicationState.WAITING, Step.APPROVE): ApplicationState.APPROVED,
    (ApplicationState.WAITING, Step.DECLINE): ApplicationState.DECLINED,
    (ApplicationState.ASKED, Step.DECLINE): ApplicationState.DECLINED,
    **{(state, Step.WITHDRAW): ApplicationState.WITHDRAWN for state in OPEN},
}
"""Every step there is. What is decided or taken back stays so; whoever tries again makes a new application."""


def before(step: Step) -> tuple[ApplicationState, ...]:
    """The states from which a step leads on."""
    return tuple(state for state, one in NEXT if one is step)


def after(step: Step) -> ApplicationState:
    (state,) = {onto for (_, one), onto in NEXT.items() if one is step}
    return state


REMINDED = (30, 7, 1)
"""So many days before its last day a licence is spoken of; and once after it."""

TOLD_LATE = 30
"""So many days after its last day that is still told, should nothing have run before."""


def reminder(left: int) -> str:
    """The last reminder reached with so many days left, its last day being 0: `30`, `7`, `1`, or `over` after that day."""
    return "over" if left < 0 else str(min(days for days in REMINDED if left <= days))


def paper_fact(kind: PaperKind) -> dict[str, str]:
    """What a paper is called, in both languages, for a message that is kept as facts."""
    return {"zh": PAPER_ZH[kind], "en": PAPER_WORDS[kind][0].lower()}


def check_end(kind: PaperKind, valid_until: date | None, today: date) -> None:
    """Raises `EndMissing` or `PaperExpired` for a last day that cannot be."""
    if valid_until is None and kind in ENDS:
        raise EndMissing()
    if valid_until is not None and valid_until < today:
        raise PaperExpired()


def needed(text: str, field: str) -> str:
    """A text that must not be empty. Raises `AnswerMissing`."""
    if not text:
        raise AnswerMissing(field)
    return text


def commission(value: str) -> int:
    """A share of the price as somebody writes it, in parts of 10,000. Raises `CommissionUnclear`."""
    plain = value.strip().removesuffix("%").removesuffix("％").strip()
    whole, _, part = plain.partition(".")
    figures = whole + part.ljust(2, "0")
    if not (whole and len(whole) <= 2 and len(part) <= 2 and figures.isascii() and figures.isdigit() and int(figures) <= MOST_COMMISSION):
        raise CommissionUnclear()
    return int(figures)
