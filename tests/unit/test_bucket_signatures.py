"""Signatures are those of Amazon's own examples (first two), and of its client library for addresses like ours (the others)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shop.platform.buckets import Key, signed_address, signed_headers

AMAZON = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
THEN = datetime(2013, 5, 24, tzinfo=UTC)
OURS = Key("LINLITEST", "not a secret, only for tests", "region-1")
NOW = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)


def proof_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].rpartition("Signature=")[2]


def test_a_call_of_the_handbook() -> None:
    made = signed_headers(AMAZON, "GET", "https://examplebucket.s3.amazonaws.com/test.txt", b"", THEN, {"range": "bytes=0-9"})
    assert proof_of(made) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_an_address_of_the_handbook() -> None:
    made = signed_address(AMAZON, "https://examplebucket.s3.amazonaws.com/test.txt", THEN, timedelta(days=1))
    assert made.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_a_picture_put_into_a_bucket_that_is_a_host() -> None:
    more = {"content-type": "image/webp", "cache-control": "private, max-age=31536000, immutable"}
    made = signed_headers(OURS, "PUT", "https://bucket.s3.region.example/ab/abcd.webp", b"picture", NOW, more)
    assert proof_of(made) == "5f294739a4b616f3f4f2fc1d262d1f2a450e23fe18d957f4c2f2c71097ea4815"


def test_a_picture_read_from_a_bucket_that_is_a_path() -> None:
    made = signed_headers(OURS, "GET", "http://127.0.0.1:9000/bucket/ab/abcd-share.jpg", b"", NOW, {})
    assert proof_of(made) == "2e0d0f733457801409e9bed64e4fc164afde2f3204e7fadf1d4c639bb21b06ba"


def test_an_address_for_two_days() -> None:
    made = signed_address(OURS, "https://bucket.s3.region.example/ab/abcd.webp", NOW, timedelta(days=2))
    assert "&X-Amz-Expires=172800&X-Amz-SignedHeaders=host&" in made
    assert made.endswith("&X-Amz-Signature=07fe1a98621bd9ee0667fa4d6bbf15fb7e641a6a19ad191dbccf80f1a2ef199f")
