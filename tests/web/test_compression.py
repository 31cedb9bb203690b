"""Answers are small, and their length tells strangers nothing."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.platform import compression

PACKED = {"Accept-Encoding": "gzip, br"}


def version(app: Flask) -> str:
    return str(app.extensions["assets"].version)


def file(client: FlaskClient, address: str, method: str = "GET", **headers: str) -> Any:
    """A file, with its body read to the end and its handle closed."""
    return client.open(address, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()}, buffered=True)


def test_page_is_compressed_and_says_so(client: FlaskClient) -> None:
    plain = client.get("/terms")
    packed = client.get("/terms", headers=PACKED)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).startswith(b"<!doctype html>")
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert "Content-Encoding" not in plain.headers
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_api_answers_are_compressed(client: FlaskClient) -> None:
    packed = client.get("/api/v1/openapi.json", headers=PACKED)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).startswith(b"{")


def test_small_answers_are_left_alone(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers=PACKED)
    assert answer.data == b"ok\n"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("refusal", ["", "identity", "gzip;q=0", "br"])
def test_whoever_does_not_take_gzip_gets_it_plain(client: FlaskClient, refusal: str) -> None:
    answer = client.get("/terms", headers={"Accept-Encoding": refusal})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    "elsewhere",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Referer": "https://elsewhere.example/page"}],
    ids=["another site", "a neighbour of ours", "an old browser from another site"],
)
def test_page_another_site_asked_for_keeps_its_length(client: FlaskClient, elsewhere: dict[str, str]) -> None:
    answer = client.get("/terms", headers={**PACKED, **elsewhere})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "ours",
    [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Referer": "http://localhost/help"}],
    ids=["a link", "typed", "an old browser"],
)
def test_page_we_asked_for_ourselves_is_compressed(client: FlaskClient, ours: dict[str, str]) -> None:
    assert client.get("/terms", headers={**PACKED, **ours}).headers["Content-Encoding"] == "gzip"


def test_same_page_has_many_lengths(client: FlaskClient) -> None:
    lengths = {len(compression.compress(b"the same words " * 200, padding)) for padding in range(0, 101, 10)}
    assert len(lengths) == 11
    assert gzip.decompress(compression.compress(b"words", 7)) == b"words"


def test_static_file_is_compressed_once_and_kept_for_a_year(app: Flask, client: FlaskClient) -> None:
    compression.compressed_file.cache_clear()
    address = f"/static/css/layout.css?v={version(app)}"
    first, second = (file(client, address, Accept_Encoding="gzip") for _ in range(2))
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.data == second.data
    assert gzip.decompress(first.data) == Path(app.root_path, "static/css/layout.css").read_bytes()
    assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (compression.compressed_file.cache_info().misses, compression.compressed_file.cache_info().hits) == (1, 1)


def test_static_file_without_the_version_served_now_is_asked_about_again(client: FlaskClient) -> None:
    for address in ("/static/css/base.css", "/static/css/base.css?v=0123456789"):
        assert file(client, address).headers["Cache-Control"] == "no-cache"


def test_known_static_file_is_not_sent_again(app: Flask, client: FlaskClient) -> None:
    address = f"/static/css/base.css?v={version(app)}"
    tag = file(client, address, Accept_Encoding="gzip").headers["ETag"]
    again = file(client, address, Accept_Encoding="gzip", If_None_Match=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert tag.startswith("W/")


def test_part_of_a_file_is_never_compressed(client: FlaskClient) -> None:
    part = file(client, "/static/css/base.css", Accept_Encoding="gzip", Range="bytes=0-9")
    assert part.status_code == 206
    assert "Content-Encoding" not in part.headers


def test_pictures_are_sent_as_they_are(client: FlaskClient) -> None:
    answer = file(client, "/static/img/app-icons/192.png", Accept_Encoding="gzip")
    assert "Content-Encoding" not in answer.headers
    assert io.BytesIO(answer.data).read(8) == b"\x89PNG\r\n\x1a\n"


def test_missing_file_is_a_plain_404(client: FlaskClient) -> None:
    assert client.get("/static/css/nothing.css", headers=PACKED).status_code == 404


def test_head_names_the_headers_and_sends_nothing(app: Flask, client: FlaskClient) -> None:
    answer = file(client, f"/static/css/layout.css?v={version(app)}", "HEAD", Accept_Encoding="gzip")
    assert (answer.status_code, answer.data, answer.headers["Content-Encoding"]) == (200, b"", "gzip")
