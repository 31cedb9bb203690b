"""What is written while somebody works on the shop is seen, and the programs begin anew without a pause."""

from __future__ import annotations

from pathlib import Path

import pytest

from script.support.processes import Program
from script.support.supervisor import Supervisor
from script.support.watching import Watch
from tests.scripts.test_supervision import SAYS_ITS_ID, Lines, eventually, is_alive

pytestmark = pytest.mark.one_engine


def test_a_source_that_is_written_comes_or_goes_is_seen_once(tmp_path: Path) -> None:
    (tmp_path / "shop" / "templates").mkdir(parents=True)
    code, page = tmp_path / "shop" / "views.py", tmp_path / "shop" / "templates" / "page.html"
    code.write_text("1")
    seconds = iter(range(0, 100, 2))
    watch = Watch(tmp_path, lambda: next(seconds))
    assert watch.changed() == []
    code.write_text("22")
    page.write_text("new")
    (tmp_path / "shop" / "notes.txt").write_text("no source")
    assert watch.changed() == ["shop/templates/page.html", "shop/views.py"]
    assert watch.changed() == []
    code.unlink()
    assert watch.changed() == ["shop/views.py"]


def test_programs_begin_anew_without_a_pause_and_the_others_go_on() -> None:
    lines = Lines()
    supervisor = Supervisor(lines.follow, lambda text: None)
    try:
        for name in ("web", "stripe"):
            supervisor.start(Program(name, SAYS_ITS_ID, {"PATH": "/usr/bin:/bin"}))
        assert eventually(lambda: bool(lines.of("web") and lines.of("stripe")))
        first, other = int(lines.of("web")[0]), int(lines.of("stripe")[0])
        supervisor.begin_anew(("web",))

        def has_begun() -> bool:
            supervisor.look()
            return len(lines.of("web")) == 2

        assert eventually(has_begun)
        assert not is_alive(first)
        assert is_alive(other)
        assert supervisor.most_deaths() == 0, "it counts as no death"
    finally:
        supervisor.stop(patience=2)
