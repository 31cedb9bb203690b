"""Notices that stand there, put there as rows: `make_text(make, community_id, writer, state)`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shop.kernel import clock
from shop.models.accounts import User
from shop.models.bulletin import BulletinKind, BulletinNotice, BulletinVersion, VersionState
from tests.support.factories import SHARP, Factories


def make_text(
    make: Factories, community_id: int, writer: User, state: VersionState = VersionState.PUBLISHED, *, publisher: User | None = None,
    notice: BulletinNotice | None = None, **values: Any,
) -> BulletinVersion:  # fmt: skip
    """A text of a notice of its own, for today and a week; published by somebody who is nobody else's business."""
    moment, today = clock.now(), clock.today()
    notice = notice or make.save(BulletinNotice(community_id=community_id, created_at=moment))
    by = None
    if state in (VersionState.PUBLISHED, VersionState.REPLACED):
        by = publisher or make.user()
    return make.save(
        BulletinVersion(
            **{
                "notice_id": notice.id, "community_id": community_id, "number": 1, "state": state, "kind": BulletinKind.COMMUNITY,
                "title_zh": f"停水通知{SHARP}", "title_en": f"No water{SHARP}", "text_zh": f"明天停水。\n请接好水。{SHARP}",
                "text_en": f"There is no water tomorrow.\nFill what you need.{SHARP}", "building": "", "starts_on": today,
                "ends_on": today + timedelta(days=7), "is_pinned": False, "written_by_id": writer.id, "written_at": moment,
                "published_by_id": by.id if by else None, "published_at": moment if by else None, "reason": "", **values,
            }
        )
    )
