"""The people whom `docs` and tests name, and the neighbours who fill the demo city. All numbers and names are made up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import operations as accounts
from shop.kernel import clock
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.merchants import Merchant
from shop.models.pickup import PickupPoint
from shop.platform.actor import COMMAND, Actor, Grant
from shop.wallet import operations as wallet
from shop.wallet.rules import class_for

PIN = "246810"
AUTHENTICATOR_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105  (printed in the handbook; demo data is refused in production)
NEIGHBOUR_NUMBERS = 13_900_000_001
STAFF_NUMBERS = 13_900_900_001
FEWEST_WALLET_YUAN, MOST_WALLET_YUAN = 600, 2_400

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡"
GIVEN_NAMES = (
    "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞",
    "平", "刚", "桂英", "文", "华", "慧", "建国", "玉兰", "红", "春梅", "晓燕", "小东", "志强", "淑珍", "丽华", "国庆", "海燕",
    "子涵", "雨桐", "浩然", "欣怡", "思远", "佳琪", "德贵", "素芬", "永福", "长江", "光明", "玉珍", "世杰",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody known by name who shops; `yuan` is what the wallet holds at the end."""

    phone: str
    name: str
    point: str
    level: int
    yuan: int
    is_elder: bool = False


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works for a merchant, a point or the city."""

    phone: str
    name: str
    role: Role
    place: str = ""


RESIDENTS = (
    Resident("13800000001", "李梅", "tianchenghu", 2, 500),
    Resident("13800000002", "王强", "tianchenghu", 1, 200),
    Resident("13800000003", "陈桂芳", "yuxiyuan", 2, 300, is_elder=True),
)
STAFF = (
    Staff("13800000011", "刘建国", Role.MERCHANT_OWNER, "orange-coop"),
    Staff("13800000012", "张秀英", Role.MERCHANT_OWNER, "fruit-hall"),
    Staff("13800000013", "周敏", Role.MERCHANT_CLERK, "mall"),
    Staff("13800000021", "赵晓燕", Role.KEEPER, "tianchenghu"),
    Staff("13800000022", "杨帆", Role.KEEPER, "yuxiyuan"),
    Staff("13800000031", "何静", Role.OPERATOR),
    Staff("13800000032", "徐丽", Role.FINANCE),
    Staff("13800000033", "冯涛", Role.AUDITOR),
    Staff("13800000034", "罗敏", Role.OPERATOR),
)


def add_people(session: Session) -> None:
    """Residents with their wallets and PIN, staff with their roles and authenticator; somebody for every shop and every counter."""
    points = dict(session.execute(sa.select(PickupPoint.slug, PickupPoint.id).order_by(PickupPoint.id)).all())
    merchants = dict(session.execute(sa.select(Merchant.code, Merchant.id).order_by(Merchant.id)).all())
    for resident in RESIDENTS:
        user = add_resident(session, resident.phone, resident.name, points[resident.point], resident.level, resident.is_elder)
        open_wallet(session, actor_of(user), Money(resident.yuan * 100))
    chance = Random("staff")
    have_somebody = {person.place for person in STAFF}
    places = [(Role.MERCHANT_OWNER, code) for code in merchants if code not in have_somebody]
    places += [(Role.KEEPER, slug) for slug in points if slug not in have_somebody]
    others = [Staff(str(STAFF_NUMBERS + number), name(chance), *place) for number, place in enumerate(places)]
    for person in (*STAFF, *others):
        session.add(User(phone=person.phone, display_name=person.name, totp_secret=AUTHENTICATOR_SECRET, created_at=clock.now()))
        session.flush()
        is_keeper = person.role is Role.KEEPER
        accounts.grant_role(
            session, COMMAND, person.phone, person.role,
            merchant_id=merchants[person.place] if person.place and not is_keeper else None,
            pickup_point_id=points[person.place] if is_keeper else None,
        )  # fmt: skip


def add_neighbours(session: Session, chance: Random, per_community: int) -> None:
    """Residents of every community: half with a full wallet, a fifth with a small one, the others pay by card."""
    points = session.scalars(sa.select(PickupPoint.id).order_by(PickupPoint.id)).all()
    for number in range(per_community * len(points)):
        level = chance.choices((0, 1, 2), (30, 20, 50))[0]
        phone, is_elder = str(NEIGHBOUR_NUMBERS + number), chance.random() < 0.15
        user = add_resident(session, phone, name(chance), points[number % len(points)], level, is_elder)
        open_wallet(session, actor_of(user), Money(chance.randint(FEWEST_WALLET_YUAN, MOST_WALLET_YUAN) * 100))


def add_resident(session: Session, phone: str, display_name: str, point_id: int, level: int, is_elder: bool) -> User:
    user = User(
        phone=phone, display_name=display_name, verification_level=level, pickup_point_id=point_id, is_elder_mode=is_elder,
        created_at=clock.now(),
    )  # fmt: skip
    session.add(user)
    session.flush()
    return user


def open_wallet(session: Session, actor: Actor, amount: Money) -> None:
    """A wallet in the class the person may have, with the demo PIN and an opening balance; none below the first level."""
    wallet_class = class_for(actor.verification_level)
    if wallet_class is None:
        return
    wallet.open_wallet(session, actor.signed_in_id(), wallet_class)
    wallet.set_pin(session, actor, PIN)
    put_in(session, actor.signed_in_id(), amount, "opening")


def put_in(session: Session, user_id: int, amount: Money, occasion: str) -> None:
    """Money that the custodian already held for the person."""
    wallet.post(
        session, cause=f"{occasion}:{user_id}", kind="opening", debit="custodian", credit=f"wallet:{user_id}", amount=amount,
        subject=("user", user_id),
    )  # fmt: skip


def name(chance: Random) -> str:
    """A Chinese name."""
    return chance.choice(SURNAMES) + chance.choice(GIVEN_NAMES)


def actor_of(user: User, grants: tuple[Grant, ...] = ()) -> Actor:
    """The person as operations see them."""
    return Actor(
        "user", user_id=user.id, display_name=user.display_name, phone=user.phone, pickup_point_id=user.pickup_point_id,
        verification_level=user.verification_level, has_second_factor=bool(grants), grants=grants,
    )  # fmt: skip
