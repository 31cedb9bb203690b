"""Pictures in S3-compatible storage: put there signed, shown by signed addresses, and never waited for by a page."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from config import Config, WrongConfiguration, refuse_unsafe
from shop.catalog import pictures
from shop.kernel.db import transaction
from shop.models.catalog import ProductImage
from shop.platform import buckets
from shop.platform.buckets import BucketStorage, StorageAway
from shop.platform.files import FolderStorage
from tests.support.bucket import KEY, Bucket, bucket
from tests.support.dripping import HEAD, dripping
from tests.support.factories import Factories


@pytest.fixture
def kept() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture
def storage(app: Flask, kept: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketStorage]:
    with closing(BucketStorage(kept.url, KEY)) as made:
        monkeypatch.setitem(app.extensions, "storage", made)
        monkeypatch.setitem(app.config, "S3_BUCKET_URL", kept.url)
        yield made


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (900, 700), "orange").save(made, "PNG")
    return made.getvalue()


def seen_at(address: str) -> requests.Response:
    with requests.Session() as line:
        line.trust_env = False
        return line.get(address, timeout=10)


def test_what_was_kept_is_read_again_by_the_name_a_folder_gives_it(storage: BucketStorage, kept: Bucket, tmp_path: Path) -> None:
    name = pictures.keep(storage, picture())
    assert name == pictures.keep(FolderStorage(tmp_path), picture())
    assert sorted(kept.files) == sorted([name, pictures.medium(name), pictures.small(name), pictures.shared(name)])
    assert {kind for _, kind in kept.files.values()} == {"image/webp", "image/jpeg"}
    assert storage.read(name) == (tmp_path / name).read_bytes()
    assert (storage.has(name), storage.has("00/" + "0" * 32 + ".webp")) == (True, False)
    with pytest.raises(FileNotFoundError):
        storage.read("00/" + "0" * 32 + ".webp")
    assert kept.refused == []


def test_whoever_has_no_key_or_another_is_refused_and_nothing_is_kept(kept: Bucket) -> None:
    with closing(BucketStorage(kept.url, replace(KEY, secret="another"))) as storage, pytest.raises(StorageAway, match="status 403"):
        storage.keep(b"content", ".webp")
    assert seen_at(f"{kept.url}/ab/x.webp").status_code == 403
    assert kept.files == {}


def test_a_page_shows_a_picture_by_an_address_that_works_without_a_key(client: FlaskClient, storage: BucketStorage, kept: Bucket) -> None:
    name = pictures.keep(storage, picture())
    before = dict(kept.asked)
    answer = client.get(f"/media/{pictures.small(name)}")
    assert answer.status_code == 302
    assert dict(kept.asked) == before, "no web thread waits for the bucket"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get(f"/media/{pictures.small(name)}").location == answer.location, "browsers keep what has one address"
    seen = seen_at(answer.location)
    assert (seen.status_code, seen.content) == (200, kept.files[pictures.small(name)][0])
    assert seen_at(answer.location.replace("-small", "")).status_code == 403, "an address is for one file"
    assert client.get("/media/../secrets").status_code == 404
    assert client.get("/media/ab/secret.txt").status_code == 404


def test_an_address_outlives_what_a_browser_remembers_of_it(storage: BucketStorage) -> None:
    told = dict(part.split("=") for part in storage.address("ab/x.webp").partition("?")[2].split("&"))
    signed_at = datetime.strptime(told["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ends = signed_at + timedelta(seconds=int(told["X-Amz-Expires"]))
    assert ends - datetime.now(UTC) >= timedelta(days=1) > timedelta(seconds=3_600)


def test_the_page_lets_pictures_of_the_bucket_in_and_asks_it_nothing(
    client: FlaskClient, storage: BucketStorage, kept: Bucket, make: Factories
) -> None:
    point = make.point()
    variant = make.product(make.merchant(points=[point]), code="orange")
    name = pictures.keep(storage, picture())
    with transaction() as session:
        session.add(ProductImage(product_id=variant.product_id, file=name, position=0))
    before = dict(kept.asked)
    page = client.get("/products/orange")
    assert page.status_code == 200
    assert f"img-src 'self' data: {kept.url.removesuffix('/pictures')};" in page.headers["Content-Security-Policy"]
    assert f"http://localhost/media/{pictures.shared(name)}" in page.text
    assert dict(kept.asked) == before


def test_without_a_bucket_pictures_come_from_the_shop_alone(client: FlaskClient) -> None:
    assert "img-src 'self' data:;" in client.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("trouble", [500, 503, 429])
def test_what_fails_once_is_asked_again(storage: BucketStorage, kept: Bucket, trouble: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PAUSE", 0)
    kept.troubles.append(trouble)
    assert storage.has(storage.keep(b"content", ".webp"))
    assert kept.asked["PUT"] == 2


def test_what_fails_twice_is_told_and_what_is_refused_is_not_repeated(
    storage: BucketStorage, kept: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PAUSE", 0)
    kept.troubles.extend((503, 503))
    with pytest.raises(StorageAway, match=r"^status 503$"):
        storage.keep(b"content", ".webp")
    kept.troubles.append(403)
    with pytest.raises(StorageAway, match=r"^status 403$"):
        storage.keep(b"content", ".webp")
    assert kept.asked["PUT"] == 3
    assert kept.files == {}


@pytest.mark.parametrize(("first", "drop"), [(b"", b""), (HEAD, b"x")], ids=["hangs", "drips"])
def test_a_bucket_that_hangs_or_drips_is_left_in_time(first: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PATIENCE", 0.4)
    monkeypatch.setattr(buckets, "PAUSE", 0)
    begun = time.monotonic()
    with dripping(first, drop) as address:
        with pytest.raises(StorageAway):
            BucketStorage(address, KEY).read("ab/x.webp")
        assert time.monotonic() - begun < 2.5


def test_what_goes_wrong_is_logged_without_names_and_keys(storage: BucketStorage, kept: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    kept.troubles.append(403)
    with pytest.raises(StorageAway):
        storage.read("ab/name-of-a-file.webp")
    assert caplog.messages == ["the bucket does not take GET: status 403"]


def test_a_folder_is_moved_into_the_bucket_once(app: Flask, storage: BucketStorage, kept: Bucket, tmp_path: Path) -> None:
    name = pictures.keep(FolderStorage(tmp_path), picture())
    (tmp_path / "notes.txt").write_text("not one of ours")
    run = app.test_cli_runner().invoke
    first = run(args=["files", "move", "--from", str(tmp_path)])
    assert (first.exit_code, first.output) == (0, "notes.txt: not one of ours\n4 brought, 0 were there already\n")
    assert kept.files[name][0] == (tmp_path / name).read_bytes()
    assert run(args=["files", "move", "--from", str(tmp_path)]).output.endswith("0 brought, 4 were there already\n")
    assert kept.asked["PUT"] == 4


def test_without_a_bucket_nothing_is_moved(app: Flask, tmp_path: Path) -> None:
    told = app.test_cli_runner().invoke(args=["files", "move", "--from", str(tmp_path)])
    assert told.exit_code == 1
    assert "S3_BUCKET_URL names no bucket" in told.output


WHOLE = {"S3_BUCKET_URL": "https://pictures.s3.example", "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}


@pytest.mark.parametrize("missing", WHOLE)
def test_half_a_bucket_is_refused_wherever_the_shop_starts(missing: str) -> None:
    with pytest.raises(WrongConfiguration, match=missing):
        refuse_unsafe(Config(**{**WHOLE, missing: ""}))
    refuse_unsafe(Config(**WHOLE))


@pytest.mark.parametrize("url", ["pictures.s3.example", "ftp://pictures", "https://key:secret@pictures", "https://pictures.example/?a=b"])
def test_what_is_no_address_of_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(WrongConfiguration, match="plain http"):
        refuse_unsafe(Config(**{**WHOLE, "S3_BUCKET_URL": url}))
