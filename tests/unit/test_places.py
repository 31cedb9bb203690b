"""Places where processes count: nobody shares one, a free one is taken again, and a file that cannot be read begins anew."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from shop.platform import figures
from shop.platform.figures import Places, is_readable, make_ready

pytestmark = pytest.mark.one_engine


def test_each_has_its_own_and_the_lowest_free_one_is_next(tmp_path: Path) -> None:
    first, second, third = Places(tmp_path), Places(tmp_path), Places(tmp_path)
    assert [places.mine() for places in (first, second, first, third)] == ["1", "2", "1", "3"]
    os.close(second.handle)  # as when its process ends
    assert Places(tmp_path).mine() == "2"


def test_what_was_counted_in_a_place_is_there_for_the_next(tmp_path: Path) -> None:
    Places(tmp_path).mine()
    file = tmp_path / "counter_1.db"
    key = mmap_key("linli_x", "linli_x_total", (), (), "x")
    with closing(MmapedDict(str(file))) as counted:
        counted.write_value(key, 41.0, 0.0)
    make_ready(file)
    with closing(MmapedDict(str(file))) as counted:
        assert counted.read_value(key)[0] == 41.0
    assert file.stat().st_blocks * 512 >= figures.ROOM, "the disk has given it its room"


def test_a_file_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "counter_1.db"
    file.write_bytes(b"\x40\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\x7f" + b"x" * 100)
    assert not is_readable(file)
    make_ready(file)
    assert is_readable(file)


def test_a_child_that_was_forked_takes_another(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert places.mine() == "1"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, places.mine().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"2"
    os.close(reader)
    os.close(writer)
    assert places.mine() == "1"


def test_no_more_than_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_PLACES", 1)
    held = Places(tmp_path)
    held.mine()
    with pytest.raises(OSError, match="processes count here"):
        Places(tmp_path).mine()


def test_where_there_is_no_folder_a_process_counts_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    before = figures.values.ValueClass
    figures.count_together({"TESTING": False, "FIGURES_FOLDER": str(tmp_path / "file" / "figures")})
    assert figures.values.ValueClass is before
    assert "counts by itself" in caplog.text
