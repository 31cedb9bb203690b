"""Notices of the demo city: what its communities and the city say this week, some that wait, and some that are over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.models.accounts import User
from shop.models.bulletin import BulletinKind, BulletinNotice, BulletinReader, BulletinVersion, VersionState
from shop.models.communities import Community

OPERATOR, SECOND_OPERATOR, KEEPER, YUXIYUAN_KEEPER = "13800000031", "13800000034", "13800000021", "13800000022"
REGULARS = ("13800000001", "13800000002", "13800000003")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
NINE = time(9)


@dataclass(frozen=True, slots=True)
class Seeded:
    """A notice of a community (none: the city), from so many days after today until so many. Texts name days by `{first}`, `{last}`."""

    community: str
    kind: BulletinKind
    title: tuple[str, str]
    text: tuple[str, str]
    first: int
    last: int
    building: str = ""
    is_pinned: bool = False
    writer: str = KEEPER
    state: VersionState = VersionState.PUBLISHED
    reason: str = ""
    read_by: tuple[str, ...] = field(default=REGULARS[:1])


NOTICES = (
    Seeded(
        "tianchenghu", BulletinKind.COMMUNITY, ("电梯年检，1栋暂停半天", "Yearly check of the lifts in building 1"),
        ("{last}上午，1栋两部电梯轮流年检，每部约一小时。行动不便的住户请提前告诉物业。",
         "On the morning of {last} the two lifts of building 1 are checked one after the other, an hour each."),
        -9, -2, building="1栋",
    ),
    Seeded(
        "tuojiangwan", BulletinKind.EVENT, ("周末邻里跳蚤市场", "A flea market of neighbours"),
        ("旧书、玩具、小家电，洗净带来就能摆。场地在便民超市旁的空坝，{last}9点到12点，下雨顺延一周。\n"
         "摊位不收费，请自带垫布，走时带走垃圾。",
         "Bring clean books, toys and small appliances to the yard beside the convenience store, {last}, 9 to 12. In rain a week later.\n"
         "A place costs nothing. Bring a cloth to lay things on, and take your rubbish home."),
        -5, 6, writer=OPERATOR,
    ),
    Seeded(
        "yuxiyuan", BulletinKind.COMMUNITY, ("电动自行车充电棚启用，电瓶不再上楼", "The charging shed for e-bikes is open"),
        ("5栋旁的充电棚已通过消防验收，24个插口，扫码充电，充满自动断电。\n"
         "从{first}起，电动自行车和电瓶不得进楼、进电梯。家里有困难的，请到自提点登记，我们上门帮您想办法。",
         "The shed beside building 5 has passed the fire inspection: 24 sockets, and the power ends when the battery is full.\n"
         "From {first} e-bikes and their batteries stay out of houses and lifts. If that is hard for you, tell the pick-up point."),
        -4, 40, writer=YUXIYUAN_KEEPER, read_by=REGULARS[2:],
    ),
    Seeded(
        "", BulletinKind.PARTY_BUILDING, ("在职党员进社区“双报到”，认领微心愿", "Party members at work in the communities: small wishes"),
        ("灯泡坏了换不动、药配不到、想有人陪着去医院：把微心愿写在自提点的心愿墙上，或告诉站点工作人员。\n"
         "在职党员到社区报到后认领，七天内答复。{last}前收集第一批。",
         "A bulb you cannot reach, a medicine you cannot get, company on the way to the hospital: write it on the wall of wishes at your"
         " pick-up point, or tell its staff.\nParty members who report to the community take them on and answer within seven days."
         " The first round ends on {last}."),
        -4, 26, writer=OPERATOR, read_by=REGULARS,
    ),
    Seeded(
        "tianchenghu", BulletinKind.PARTY_BUILDING, ("主题党日：到银发食堂帮厨", "Party day: a morning in the canteen for elders"),
        ("{last}上午9点，社区党群服务中心集合，到银发食堂择菜、送餐、陪老人聊天。\n"
         "党员请穿便于活动的衣服，群众志愿者同样欢迎，当天在食堂一起吃午饭。",
         "We meet at 9 on {last} at the community service centre, and help in the canteen for elders: vegetables, deliveries, company.\n"
         "Everybody is welcome, party member or not. Lunch is in the canteen."),
        -3, 4,
    ),
    Seeded(
        "tianchenghu", BulletinKind.EVENT, ("社区义诊：量血压、测血糖、看牙", "Doctors at the centre: blood pressure, blood sugar, teeth"),
        ("东兴区社区卫生服务中心的医生{last}上午9点到11点半在党群服务中心一楼坐诊，不收费，不用预约。\n"
         "测血糖请空腹来，带上正在吃的药。腿脚不便的老人可以打自提点电话，我们来接。",
         "Doctors of the Dongxing health centre see you on the ground floor of the service centre on {last}, 9 to 11:30, free and without"
         " an appointment.\nCome without breakfast for blood sugar, and bring the medicine you take. If walking is hard, call the pick-up"
         " point: we fetch you."),
        -2, 5, read_by=REGULARS,
    ),
    Seeded(
        "tianchenghu", BulletinKind.COMMUNITY, ("水箱清洗，3栋4栋停水半天", "Water tanks cleaned: no water in buildings 3 and 4"),
        ("{last}8点到14点清洗二次供水水箱，3栋、4栋停水。请提前接好用水，关好龙头。\n恢复供水后先放一两分钟，水清了再用。",
         "The tanks of buildings 3 and 4 are cleaned on {last} from 8 to 14 o'clock. Fill what you need before, and close your taps.\n"
         "Afterwards let the water run for a minute or two until it is clear."),
        -1, 2, building="3栋、4栋", is_pinned=True, read_by=REGULARS[:2],
    ),
    Seeded(
        "", BulletinKind.GOVERNMENT, ("城乡居民医保开始缴费", "Basic medical insurance: pay for the coming year"),
        ("城乡居民基本医疗保险下一年度缴费已经开始，{last}截止。逾期缴费的，待遇从缴费后第60天起享受。\n"
         "可在“四川税务”小程序、社区党群服务中心或街道便民中心缴费。给父母、孩子代缴，只需对方的身份证号码。\n"
         "低保、特困人员由财政代缴，不用自己交。工作人员不会打电话要您的验证码和银行卡密码。",
         "Contributions to basic medical insurance for the coming year can be paid until {last}. Who pays later is covered from the"
         " 60th day after paying.\nPay in the tax office's mini program, at your community service centre or at the street office. To"
         " pay for parents or children you need their identity number.\nHouseholds on minimum allowance do not pay. Nobody will call"
         " and ask for your codes or card."),
        -3, 25, is_pinned=True, writer=OPERATOR, read_by=REGULARS,
    ),
    Seeded(
        "tianchenghu", BulletinKind.COMMUNITY, ("楼道杂物集中清理", "Stairwells are cleared"),
        ("{first}起清理楼道里的杂物。还要用的请在此之前搬回家，大件可以打物业电话帮忙抬。", ""),
        3, 17, state=VersionState.WAITING, read_by=(),
    ),
    Seeded(
        "tianchenghu", BulletinKind.COMMUNITY, ("2栋底商招租", ""), ("2栋底商一间，面积约40平方米，有意者请联系物业。", ""),
        0, 30, state=VersionState.REFUSED, reason="不是社区事务，招租请走便民信息。", read_by=(),
    ),
)  # fmt: skip


def seed(session: Session, _chance: Random) -> None:
    """The same notices each time, by days around today."""
    phones = (OPERATOR, SECOND_OPERATOR, KEEPER, YUXIYUAN_KEEPER, *REGULARS)
    who = {phone: session.scalar(sa.select(User.id).where(User.phone == phone)) for phone in phones}
    communities = {row.slug: row.id for row in session.execute(sa.select(Community.slug, Community.id))}
    for each in NOTICES:
        if who[each.writer] is not None and (not each.community or each.community in communities):
            put(session, each, communities.get(each.community, CITY), who)


def put(session: Session, each: Seeded, community_id: int, who: dict[str, int | None]) -> None:
    today = clock.today()
    first, last = today + timedelta(days=each.first), today + timedelta(days=each.last)
    at = min(clock.now(), clock.at(today + timedelta(days=min(each.first, 0)), NINE))
    readers = [user_id for phone in each.read_by if (user_id := who[phone])]
    notice = BulletinNotice(community_id=community_id, created_at=at, readers=len(readers))
    session.add(notice)
    session.flush()
    by = who[SECOND_OPERATOR] if each.writer == OPERATOR else who[OPERATOR]
    is_published, is_refused = each.state is VersionState.PUBLISHED, each.state is VersionState.REFUSED
    session.add(
        BulletinVersion(
            notice_id=notice.id, community_id=community_id, number=1, state=each.state, kind=each.kind, title_zh=each.title[0],
            title_en=each.title[1] if each.text[1] else "", text_zh=each.text[0].format(first=in_chinese(first), last=in_chinese(last)),
            text_en=each.text[1].format(first=in_english(first), last=in_english(last)), building=each.building, starts_on=first,
            ends_on=last, is_pinned=each.is_pinned, written_by_id=who[each.writer], written_at=at,
            published_by_id=by if is_published else None, published_at=at if is_published else None,
            closed_by_id=by if is_refused else None, closed_at=at if is_refused else None, reason=each.reason,
        )
    )
    session.add_all(BulletinReader(notice_id=notice.id, user_id=user_id, community_id=community_id, at=at) for user_id in readers)
    session.flush()


def in_chinese(day: date) -> str:
    return f"{day.month}月{day.day}日"


def in_english(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"
