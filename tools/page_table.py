"""Every page that people look at, in one table: area, name, address, who opens it. The screenshots and the audit both walk it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.city import City

STRANGER = ""
MEI, ELDER, NEWCOMER = "13800000001", "13800000003", "13877770001"
ORANGE_OWNER, KEEPER, OPERATOR, FINANCE = "13800000011", "13800000021", "13800000031", "13800000032"
STAFF = frozenset({ORANGE_OWNER, KEEPER, OPERATOR, FINANCE})
AS_PEOPLE = (STRANGER, MEI, NEWCOMER, ORANGE_OWNER, KEEPER, OPERATOR, FINANCE)
"""Who signs in, in this order. The newcomer has nothing: every list is empty."""


@dataclass(frozen=True)
class Page:
    """One page to look at. `{names}` in the address are looked up in the city; `typed` is filled in and sent before looking."""

    area: str
    name: str
    address: str
    who: str = STRANGER
    status: int = 200
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.address)


PAGES = (
    Page("shop", "home", "/"),
    Page("shop", "home-mei", "/", MEI),
    Page("shop", "categories", "/categories"),
    Page("shop", "category", "/categories/fruit"),
    Page("shop", "category-narrowed", "/categories/vegetables?season=1&price=0-10", MEI),
    Page("shop", "category-nothing", "/categories/fish?season=1&price=0-10", MEI),
    Page("shop", "product", "/products/{product}"),
    Page("shop", "product-sizes", "/products/rice", MEI),
    Page("shop", "product-loose", "/products/{loose}", MEI),
    Page("shop", "search", "/search?q=xuecheng"),
    Page("shop", "search-nothing", "/search?q=zzzzqq"),
    Page("shop", "search-narrowed", "/search?q=橙&price=0-10"),
    Page("shop", "shop-search", "/shops/orange-coop?q=xuecheng"),
    Page("shop", "merchant", "/shops/orange-coop"),
    Page("shop", "communities", "/communities"),
    Page("account", "sign-in", "/sign-in"),
    Page("account", "sign-in-wrong", "/sign-in", typed={"phone": "123"}),
    Page("account", "sign-in-code", "/sign-in", typed={"phone": "13877779999"}),
    Page("account", "sign-in-code-wrong", "/sign-in/code", typed={"code": "000000"}),
    Page("account", "me", "/me", MEI),
    Page("account", "sign-out-everywhere", "/me/sessions", MEI),
    Page("account", "notices", "/notices", MEI),
    Page("account", "notices-empty", "/notices", NEWCOMER),
    Page("account", "favourites", "/favourites", MEI),
    Page("account", "favourites-empty", "/favourites", NEWCOMER),
    Page("cart", "cart", "/cart", MEI),
    Page("cart", "cart-empty", "/cart"),
    Page("cart", "checkout", "/checkout", MEI),
    Page("orders", "orders", "/orders", MEI),
    Page("orders", "orders-empty", "/orders", NEWCOMER),
    Page("orders", "order-ready", "/orders/{order_ready}", MEI),
    Page("orders", "order-open", "/orders/{order_open}", MEI),
    Page("orders", "order-done", "/orders/{order_done}", MEI),
    Page("orders", "order-payment", "/orders/{order_unpaid}/payment", MEI),
    Page("orders", "order-again", "/orders/{order_done}/again", MEI),
    Page("orders", "orders-refunded", "/orders?tab=refunded", MEI),
    Page("pickup", "passes", "/pickup", MEI),
    Page("pickup", "passes-empty", "/pickup", NEWCOMER),
    Page("pickup", "pass", "/pickup/{pass}", MEI),
    Page("pickup", "pass-used", "/pickup/{pass_used}", MEI),
    Page("reviews", "reviews-product", "/products/{reviewed}", MEI),
    Page("reviews", "reviews-all", "/products/{reviewed}/reviews"),
    Page("reviews", "reviews-category", "/categories/fruit", MEI),
    Page("reviews", "reviews-to-write", "/reviews", MEI),
    Page("reviews", "reviews-written", "/reviews?tab=written", MEI),
    Page("reviews", "reviews-empty", "/reviews", NEWCOMER),
    Page("reviews", "review-write", "/reviews/lines/{line_to_review}", MEI),
    Page("reviews", "review-own", "/reviews/lines/{line_reviewed}", MEI),
    Page("reviews", "review-report", "/reviews/{review}/report", MEI),
    Page("reviews", "reviews-order", "/orders/{order_done}", MEI),
    Page("reviews", "reviews-shop", "/merchant/reviews", ORANGE_OWNER),
    Page("reviews", "reviews-shop-one", "/merchant/reviews/{review_of_shop}", ORANGE_OWNER),
    Page("reviews", "reviews-reported", "/admin/reviews", OPERATOR),
    Page("reviews", "reviews-hidden-none", "/admin/reviews?tab=hidden", OPERATOR),
    Page("reviews", "reviews-reported-one", "/admin/reviews/{review_reported}", OPERATOR),
    Page("bulletin", "bulletin", "/bulletin", MEI),
    Page("bulletin", "bulletin-city", "/bulletin"),
    Page("bulletin", "notice", "/bulletin/{notice}", MEI),
    Page("bulletin", "notice-pinned", "/bulletin/{notice_pinned}", MEI),
    Page("bulletin", "desk", "/bulletin/desk", KEEPER),
    Page("bulletin", "desk-published", "/bulletin/desk?tab=published", OPERATOR),
    Page("bulletin", "desk-gone", "/bulletin/desk?tab=gone", OPERATOR),
    Page("bulletin", "desk-text", "/bulletin/desk/{text_waiting}", OPERATOR),
    Page("bulletin", "desk-refused", "/bulletin/desk/{text_refused}", KEEPER),
    Page("bulletin", "desk-correct", "/bulletin/desk/{text_refused}/edit", KEEPER),
    Page("bulletin", "desk-write", "/bulletin/desk/write", KEEPER),
    Page("bulletin", "desk-write-wrong", "/bulletin/desk/write", OPERATOR, status=422, typed={"title_zh": "水"}),
    Page("bills", "life", "/life", MEI),
    Page("bills", "bills", "/bills", MEI),
    Page("bills", "bills-empty", "/bills", NEWCOMER),
    Page("bills", "add", "/bills/add", MEI),
    Page("bills", "add-account", "/bills/add/{biller}", MEI),
    Page("bills", "add-account-wrong", "/bills/add/{biller}", MEI, typed={"account_no": "1"}),
    Page("bills", "account", "/bills/accounts/{bill_account}", MEI),
    Page("bills", "pay", "/bills/accounts/{bill_account}/pay", MEI),
    Page("bills", "together", "/bills/together?account={bill_account}", MEI),
    Page("bills", "payments", "/bills/payments", MEI),
    Page("bills", "payment", "/bills/{bill_payment}", MEI),
    Page("bills", "print", "/bills/{bill_payment}/print", MEI),
    Page("wallet", "wallet", "/wallet", MEI),
    Page("wallet", "wallet-none", "/wallet", NEWCOMER),
    Page("wallet", "top-up", "/wallet/top-up", MEI),
    Page("wallet", "pin", "/wallet/pin", MEI),
    Page("wallet", "payment", "/payments/{payment}", MEI),
    Page("merchant", "today", "/merchant/", ORANGE_OWNER),
    Page("merchant", "orders", "/merchant/orders", ORANGE_OWNER),
    Page("merchant", "order", "/merchant/orders/{merchant_order}", ORANGE_OWNER),
    Page("merchant", "slip", "/merchant/orders/{merchant_order}/slip", ORANGE_OWNER),
    Page("merchant", "delivery", "/merchant/deliveries/{merchant_cycle}", ORANGE_OWNER),
    Page("merchant", "slips", "/merchant/deliveries/{merchant_cycle}/slips", ORANGE_OWNER),
    Page("merchant", "packing-list", "/merchant/deliveries/{merchant_cycle}/packing-list", ORANGE_OWNER),
    Page("merchant", "labels", "/merchant/deliveries/{merchant_cycle}/labels?crates=2", ORANGE_OWNER),
    Page("merchant", "papers", "/merchant/orders/papers?paper=labels&number={merchant_order}", ORANGE_OWNER),
    Page("merchant", "orders-ticked", "/merchant/orders?tab=to_pack&sort=arrives&ticked={merchant_order}", ORANGE_OWNER),
    Page("merchant", "orders-empty", "/merchant/orders?number=ZZZZ", ORANGE_OWNER),
    Page("merchant", "order-weigh", "/merchant/orders/{merchant_weighing}", ORANGE_OWNER),
    Page("merchant", "missing", "/merchant/orders/{merchant_order}/lines/{merchant_line}/missing", ORANGE_OWNER),
    Page("merchant", "overdue", "/merchant/overdue", ORANGE_OWNER),
    Page("merchant", "stock", "/merchant/stock", ORANGE_OWNER),
    Page("merchant", "shelf", "/merchant/stock/blood-orange-loose", ORANGE_OWNER),
    Page("merchant", "write-off", "/merchant/stock/blood-orange-loose/write-off", ORANGE_OWNER),
    Page(
        "merchant", "write-off-wrong", "/merchant/stock/blood-orange-loose/write-off", ORANGE_OWNER, 422,
        typed={"quantity": "?"},
    ),
    Page("merchant", "losses", "/merchant/losses", ORANGE_OWNER),
    Page("merchant", "losses-none", "/merchant/losses?reason=stolen", ORANGE_OWNER),
    Page("merchant", "low", "/merchant/low", ORANGE_OWNER),
    Page("merchant", "prices", "/merchant/products/blood-orange-loose", ORANGE_OWNER),
    Page("merchant", "products", "/merchant/products", ORANGE_OWNER),
    Page("merchant", "imports", "/merchant/imports", ORANGE_OWNER),
    Page("merchant", "listings", "/merchant/listings", ORANGE_OWNER),
    Page("merchant", "listings-empty", "/merchant/listings?q=zzzz", ORANGE_OWNER),
    Page("merchant", "new-product", "/merchant/products/new", ORANGE_OWNER),
    Page("merchant", "grid", "/merchant/grid", ORANGE_OWNER),
    Page("merchant", "listing", "/merchant/listings/blood-orange-loose", ORANGE_OWNER),
    Page("merchant", "pictures", "/merchant/listings/blood-orange-loose/pictures", ORANGE_OWNER),
    Page("merchant", "statement", "/merchant/statement", ORANGE_OWNER),
    Page("merchant", "figures", "/merchant/figures?span=30days", ORANGE_OWNER),
    Page("merchant", "figures-day", "/merchant/figures?span=today", ORANGE_OWNER),
    Page("merchant", "figures-long", "/merchant/figures?span=year", ORANGE_OWNER),
    Page("merchant", "figures-empty", "/merchant/figures?first=2020-01-01&last=2020-01-07", ORANGE_OWNER),
    Page("merchant", "figures-wrong", "/merchant/figures?first=2026-02-30&last=2026-02-01", ORANGE_OWNER, 422),
    Page("station", "today", "/station/", KEEPER),
    Page("station", "desk", "/station/desk", KEEPER),
    Page("station", "desk-unknown", "/station/desk", KEEPER, 404, typed={"code": "000000"}),
    Page("station", "collect", "/station/desk/{pass}", KEEPER),
    Page("station", "delivery", "/station/deliveries/{station_cycle}", KEEPER),
    Page("station", "counting-list", "/station/deliveries/{station_cycle}/print", KEEPER),
    Page("station", "waiting", "/station/waiting", KEEPER),
    Page("station", "waiting-empty", "/station/waiting?tail=99999", KEEPER),
    Page("station", "waiting-list", "/station/waiting/print", KEEPER),
    Page("station", "overdue", "/station/overdue", KEEPER),
    Page("station", "log", "/station/log", KEEPER),
    Page("onboarding", "join-begin", "/join", NEWCOMER),
    Page("onboarding", "join-kind", "/join/kind", NEWCOMER),
    Page("onboarding", "join-asked", "/join", MEI),
    Page("onboarding", "join-shop", "/join/shop", MEI),
    Page("onboarding", "join-register", "/join/register", MEI),
    Page("onboarding", "join-register-wrong", "/join/register", MEI, status=422, typed={"uscc": "92511002MAY0000767"}),
    Page("onboarding", "join-points", "/join/points", MEI),
    Page("onboarding", "join-papers", "/join/papers", MEI),
    Page("onboarding", "authenticator", "/me/authenticator", MEI),
    Page("merchant", "members", "/merchant/members", ORANGE_OWNER),
    Page("onboarding", "queue", "/admin/applications", OPERATOR),
    Page("onboarding", "queue-closed", "/admin/applications?tab=closed", OPERATOR),
    Page("onboarding", "queue-empty", "/admin/applications?tab=approved", OPERATOR),
    Page("onboarding", "application-waiting", "/admin/applications/{application_waiting}", OPERATOR),
    Page("onboarding", "application-declined", "/admin/applications/{application_declined}", OPERATOR),
    Page("onboarding", "shops", "/admin/shops", OPERATOR),
    Page("onboarding", "shops-suspended", "/admin/shops?which=suspended", OPERATOR),
    Page("onboarding", "shop", "/admin/shops/orange-coop", OPERATOR),
    Page("admin", "today", "/admin/", OPERATOR),
    Page("admin", "overdue", "/admin/overdue", OPERATOR),
    Page("admin", "refunds", "/admin/refunds", FINANCE),
    Page("admin", "find-order", "/admin/orders", FINANCE),
    Page("admin", "order", "/admin/orders/{order_done}", FINANCE),
    Page("admin", "people", "/admin/people", OPERATOR),
    Page("admin", "people-asking", "/admin/people?which=asking", OPERATOR),
    Page("admin", "health", "/admin/health", OPERATOR),
    Page("admin", "partners", "/admin/partners", OPERATOR),
    Page("admin", "jobs", "/admin/jobs", OPERATOR),
    Page("admin", "jobs-dead", "/admin/jobs?state=dead", OPERATOR),
    Page("admin", "audit", "/admin/audit", OPERATOR),
    Page("legal", "help", "/help", MEI),
    Page("legal", "returns", "/returns"),
    Page("legal", "terms", "/terms"),
    Page("legal", "privacy", "/privacy"),
    Page("legal", "about", "/about"),
    Page("legal", "licences", "/licences"),
    Page("legal", "offline", "/offline"),
    Page("legal", "not-found", "/no-such-page", status=404),
    Page("legal", "forbidden", "/merchant/", MEI, 403),
    Page("legal", "style", "/dev/style"),
)

MINE = "(SELECT id FROM users WHERE phone_hash = ?)"
FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "product": ("SELECT slug FROM products WHERE priced_by = 'pack' ORDER BY id", ()),
    "loose": ("SELECT slug FROM products WHERE priced_by = 'weight' ORDER BY id", ()),
    "order_ready": (
        "SELECT p.number FROM purchases p JOIN sub_orders s ON s.purchase_id = p.id"
        f" WHERE p.user_id = {MINE} AND s.state = 'ready' ORDER BY p.id DESC", (MEI,),
    ),
    "order_open": (
        "SELECT p.number FROM purchases p JOIN sub_orders s ON s.purchase_id = p.id"
        f" WHERE p.user_id = {MINE} AND s.state IN ('placed', 'accepted', 'packed', 'in_transit') ORDER BY p.id DESC", (MEI,),
    ),
    "order_unpaid": (f"SELECT number FROM purchases WHERE user_id = {MINE} AND state = 'awaiting_payment' ORDER BY id DESC", (MEI,)),
    "order_done": (
        "SELECT p.number FROM purchases p JOIN sub_orders s ON s.purchase_id = p.id"
        f" WHERE p.user_id = {MINE} AND s.state IN ('collected', 'completed') ORDER BY p.id DESC", (MEI,),
    ),
    "pass": (f"SELECT ref FROM passes WHERE user_id = {MINE} AND state = 'live' ORDER BY id DESC", (MEI,)),
    "pass_used": (f"SELECT ref FROM passes WHERE user_id = {MINE} AND state = 'used' ORDER BY id DESC", (MEI,)),
    "reviewed": (
        "SELECT p.slug FROM products p JOIN product_ratings r ON r.product_id = p.id"
        " ORDER BY r.ones + r.twos + r.threes + r.fours + r.fives DESC, p.id", (),
    ),
    "line_to_review": (
        "SELECT l.id FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id WHERE s.state IN ('collected', 'completed')"
        f" AND s.user_id = {MINE} AND l.id NOT IN (SELECT line_id FROM reviews) ORDER BY l.id DESC", (MEI,),
    ),
    "line_reviewed": (f"SELECT line_id FROM reviews WHERE user_id = {MINE} ORDER BY answer <> '' DESC, id DESC", (MEI,)),
    "review": (f"SELECT id FROM reviews WHERE user_id <> {MINE} ORDER BY id DESC", (MEI,)),
    "review_of_shop": (
        "SELECT id FROM reviews WHERE state = 'shown' AND merchant_id = (SELECT id FROM merchants WHERE code = 'orange-coop')"
        " ORDER BY answer = '' DESC, id DESC", (),
    ),
    "review_reported": ("SELECT review_id FROM review_reports WHERE decided_at IS NULL ORDER BY id", ()),
    "notice": ("SELECT notice_id FROM bulletin_versions WHERE state = 'published' AND kind = 'event' ORDER BY id DESC", ()),
    "notice_pinned": ("SELECT notice_id FROM bulletin_versions WHERE state = 'published' AND is_pinned ORDER BY id DESC", ()),
    "text_waiting": ("SELECT id FROM bulletin_versions WHERE state = 'waiting' ORDER BY id DESC", ()),
    "text_refused": ("SELECT id FROM bulletin_versions WHERE state = 'refused' ORDER BY id DESC", ()),
    "application_waiting": ("SELECT id FROM applications WHERE state = 'waiting' ORDER BY id", ()),
    "application_declined": ("SELECT id FROM applications WHERE state = 'declined' ORDER BY id", ()),
    "biller": ("SELECT code FROM billers ORDER BY id", ()),
    "bill_account": (
        "SELECT a.ref FROM bill_accounts a"
        " LEFT JOIN bills b ON b.biller_id = a.biller_id AND b.account_hash = a.account_hash AND b.state = 'due'"
        f" WHERE a.user_id = {MINE} AND a.removed_at IS NULL ORDER BY b.id IS NULL, a.id", (MEI,),
    ),
    "bill_payment": (f"SELECT ref FROM bill_payments WHERE user_id = {MINE} ORDER BY id DESC", (MEI,)),
    "payment": (f"SELECT ref FROM payments WHERE user_id = {MINE} ORDER BY id DESC", (MEI,)),
    "merchant_order": (
        "SELECT number FROM sub_orders WHERE merchant_id = (SELECT id FROM merchants WHERE code = 'orange-coop')"
        " ORDER BY state = 'accepted' DESC, state = 'placed' DESC, id DESC", (),
    ),
    "merchant_line": (
        "SELECT l.id FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id"
        " WHERE s.merchant_id = (SELECT id FROM merchants WHERE code = 'orange-coop')"
        " ORDER BY s.state = 'accepted' DESC, s.state = 'placed' DESC, s.id DESC, l.id", (),
    ),
    "merchant_weighing": (
        "SELECT s.number FROM sub_orders s JOIN order_lines l ON l.sub_order_id = s.id"
        " WHERE s.merchant_id = (SELECT id FROM merchants WHERE code = 'orange-coop') AND l.priced_by = 'weight'"
        " ORDER BY s.state IN ('placed', 'accepted') DESC, s.id DESC", (),
    ),
    "merchant_cycle": (
        "SELECT cycle_id FROM sub_orders WHERE merchant_id = (SELECT id FROM merchants WHERE code = 'orange-coop')"
        " ORDER BY state IN ('placed', 'accepted', 'packed') DESC, id DESC", (),
    ),
    "station_cycle": (
        "SELECT cycle_id FROM sub_orders WHERE pickup_point_id = (SELECT pickup_point_id FROM role_grants WHERE user_id ="
        f" {MINE} AND pickup_point_id IS NOT NULL) ORDER BY state = 'in_transit' DESC, state = 'packed' DESC, id DESC", (KEEPER,),
    ),
}  # fmt: skip
"""How the names in addresses are found, with the phones of the people they are about: the first row counts."""

CART = "SELECT v.code FROM variants v JOIN products p ON p.id = v.product_id WHERE p.slug IN (?, ?) ORDER BY v.id"
"""What lies in the cart while we look."""


def areas() -> list[str]:
    """The areas in the order of the table."""
    return list(dict.fromkeys(page.area for page in PAGES))


def names() -> list[str]:
    """Every page as `area/name`."""
    return [f"{page.area}/{page.name}" for page in PAGES]


def facts_of(city: City) -> dict[str, str]:
    """What the names in addresses stand for in this city; a name without an answer is left out."""
    found = {name: city.ask(statement, *map(city.phone_hash, phones)) for name, (statement, phones) in FACTS.items()}
    return {name: str(rows[0][0]) for name, rows in found.items() if rows}


def pages_of(who: str, chosen: set[str]) -> Iterator[Page]:
    """One person's pages, in the order of the table; of `chosen` areas and pages (`area/name`) only, all when it is empty."""
    return (page for page in PAGES if page.who == who and (not chosen or chosen & {page.area, f"{page.area}/{page.name}"}))
