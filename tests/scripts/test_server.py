"""What `script/server` starts, and with which settings."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from script.support.screen import padded, table, welcome, width
from script.support.server import is_ready, refuse_taken_ports, refuse_unreadable, shop_programs, simulator_programs
from script.support.settings import Ports, child_environment, kept_secret_key, read_port
from script.support.shell import CannotContinue

pytestmark = pytest.mark.one_engine

PORTS = Ports(8000)


def test_a_fresh_machine_gets_everything_it_needs(tmp_path: Path) -> None:
    environment = child_environment({"HOME": "/home/someone"}, PORTS, secret_key="key", instance=tmp_path)
    assert environment["HOME"] == "/home/someone"
    assert environment["APP_ENV"] == "development"
    assert environment["DATABASE_URL"] == f"sqlite:///{tmp_path}/linli.db"
    assert environment["SECRET_KEY"] == "key"
    assert environment["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert environment["STRIPE_API_BASE"] == "http://127.0.0.1:8101"
    assert environment["BILLER_API_BASE"] == "http://127.0.0.1:8102"
    assert environment["SMS_API_BASE"] == "http://127.0.0.1:8103"
    assert "REDIS_URL" not in environment


def test_what_the_caller_named_stays_and_what_is_empty_counts_as_not_named() -> None:
    caller = {"DATABASE_URL": "postgresql://shop", "REDIS_URL": "redis://r", "SECRET_KEY": "", "STRIPE_SECRET_KEY": "sk_test_mine"}
    environment = child_environment(caller, PORTS, secret_key="key")
    assert environment["DATABASE_URL"] == "postgresql://shop"
    assert environment["REDIS_URL"] == "redis://r"
    assert environment["SECRET_KEY"] == "key"
    assert environment["STRIPE_SECRET_KEY"] == "sk_test_mine"


def test_calls_to_this_machine_take_no_proxy() -> None:
    environment = child_environment({"HTTP_PROXY": "http://proxy", "NO_PROXY": "intranet,localhost"}, PORTS, secret_key="key")
    assert environment["NO_PROXY"] == environment["no_proxy"] == "intranet,localhost,127.0.0.1"


def test_port_moves_everything() -> None:
    assert read_port({}) == read_port({"PORT": ""}) == Ports(8000)
    moved = read_port({"PORT": "9000"})
    assert (moved.web, moved.stripe, moved.biller, moved.sms) == (9000, 9101, 9102, 9103)


@pytest.mark.parametrize("text", ["0", "-1", "eighty", "65500", "80.5", "8 0"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(CannotContinue, match="PORT must be a number"):
        read_port({"PORT": text})


@pytest.mark.parametrize(
    ("setting", "text"), [("APP_ENV", "Production"), ("APP_ENV", "production "), ("PROXY_HOPS", "one"), ("WTF_CSRF_ENABLED", "ja")]
)
def test_a_setting_nobody_can_read_stops_the_server_before_anything_is_set_up(setting: str, text: str) -> None:
    environment = child_environment({setting: text}, PORTS, secret_key="key")
    with pytest.raises(CannotContinue, match=f"{setting} must be"):
        refuse_unreadable(environment)
    refuse_unreadable(child_environment({}, PORTS, secret_key="key"))


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = kept_secret_key(tmp_path / "instance")
    assert len(made) == 64
    assert kept_secret_key(tmp_path / "instance") == made
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600
    assert kept_secret_key(tmp_path / "another") != made


def test_an_empty_secret_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(CannotContinue, match="empty"):
        kept_secret_key(tmp_path)


def test_each_stand_in_gets_its_port_and_its_own_file(tmp_path: Path) -> None:
    environment = child_environment({}, PORTS, secret_key="key")
    programs = {program.name: program.command for program in simulator_programs(environment, PORTS, tmp_path)}
    assert list(programs) == ["stripe", "biller", "sms"]
    assert programs["sms"][1:] == ["-m", "simulators.sms", "--port", "8103", "--data", str(tmp_path / "simulators" / "sms.db")]
    assert programs["stripe"][-2:] == ["--webhook-url", "http://127.0.0.1:8000/webhooks/stripe"]
    assert programs["biller"][-2:] == ["--key", "demo-biller-key"]


def test_a_service_that_the_caller_named_has_no_stand_in() -> None:
    environment = child_environment({"STRIPE_API_BASE": "http://127.0.0.1:12111"}, PORTS, secret_key="key")
    assert [program.name for program in simulator_programs(environment, PORTS)] == ["biller", "sms"]


def test_the_web_server_listens_on_this_machine_only() -> None:
    worker, web = shop_programs(child_environment({}, PORTS, secret_key="key"), PORTS)
    assert worker.command[-2:] == ["jobs", "run"]
    assert web.command[web.command.index("--bind") + 1] == "127.0.0.1:8000"


def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = Ports(taken.getsockname()[1])
        with pytest.raises(CannotContinue, match=rf"Port {ports.web} \(web\) cannot be used"):
            refuse_taken_ports(ports, [])
        assert not is_ready(Ports(1))
    refuse_taken_ports(ports, [])


def test_the_welcome_names_addresses_and_sign_ins_in_both_languages() -> None:
    text = "\n".join(welcome(Ports(9000), simulators=["stripe", "sms"], demo=True))
    for word in ("邻里已就绪", "Linli is ready", "http://127.0.0.1:9000", "http://127.0.0.1:9103", "http://127.0.0.1:9101"):
        assert word in text
    for word in ("13800000001", "13800000033", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "246810"):
        assert word in text
    assert "9102" not in text, "there is no biller simulator"


def test_an_empty_shop_has_no_demo_people() -> None:
    assert "13800000001" not in "\n".join(welcome(PORTS, simulators=[], demo=False))


def test_chinese_takes_two_columns() -> None:
    assert width("邻里 Linli") == 10
    assert padded("商城", 6) == "商城  "
    assert table([("商城", "a"), ("shop", "b"), ("x", "c")]) == ["  商城  a", "  shop  b", "  x     c"]
