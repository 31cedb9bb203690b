"""Communities and pick-up points through the API."""

from __future__ import annotations

from datetime import time

from flask.testing import FlaskClient

from tests.support.factories import SHARP, Factories


def test_communities_name_their_open_points(client: FlaskClient, make: Factories) -> None:
    community = make.community("tianchenghu", name_zh="甜城湖社区")
    make.point("a", community=community)
    make.point("b", community=community, is_open=False)
    make.community("empty")
    answer = client.get("/api/v1/communities")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "items": [
            {
                "slug": "tianchenghu", "name": f"Tianchenghu{SHARP}", "name_zh": "甜城湖社区",
                "name_en": f"Tianchenghu{SHARP}", "district": "Dongxing",
                "pickup_points": ["a"],
            },
            {
                "slug": "empty", "name": f"Empty{SHARP}", "name_zh": f"empty社区{SHARP}", "name_en": f"Empty{SHARP}",
                "district": "Dongxing", "pickup_points": [],
            },
        ],
        "next_cursor": None,
    }  # fmt: skip


def test_points_are_listed_by_community(client: FlaskClient, make: Factories) -> None:
    make.point("a", community=make.community("one"), opens=time(8, 30), closes=time(20, 30))
    make.point("b", community=make.community("two"))
    every = client.get("/api/v1/pickup-points").get_json()["items"]
    assert [point["slug"] for point in every] == ["a", "b"]
    (only,) = client.get("/api/v1/pickup-points?community=one").get_json()["items"]
    assert (only["slug"], only["community"], only["opens"], only["closes"]) == ("a", "one", "08:30", "20:30")
    assert (only["latitude"], only["longitude"]) == (29.5943, 105.0716)


def test_names_come_in_the_language_asked_for(client: FlaskClient, make: Factories) -> None:
    make.point("a", name_zh="甜城湖自提点")
    client.delete_cookie("locale")
    for language, name in (("zh-CN", "甜城湖自提点"), ("en", f"A pick-up point{SHARP}")):
        (point,) = client.get("/api/v1/pickup-points", headers={"Accept-Language": language}).get_json()["items"]
        assert point["name"] == name


def test_an_unknown_community_or_parameter_is_refused(client: FlaskClient, make: Factories) -> None:
    assert client.get("/api/v1/pickup-points?community=nowhere").status_code == 404
    assert client.get("/api/v1/pickup-points?comunity=one").status_code == 422
    assert client.get("/api/v1/pickup-points?community=a&community=b").status_code == 422
