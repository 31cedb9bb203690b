"""What stands in Dockerfile, compose.yaml, Procfile and the units of systemd fits the shop: files, commands, versions, secrets."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask import Flask
from flask.cli import ScriptInfo

from config import READERS_OF_KINDS, ROOT, Config, read_settings

pytestmark = pytest.mark.one_engine

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
PINNED = re.compile(r"[a-z][a-z0-9./-]*:\d+\.\d+(\.\d+)?([-.][a-z0-9.]+)*")
SECRET = re.compile(r"^[ \t]*[A-Z0-9_]*(PASSWORD|SECRET|KEY|KEYS|TOKEN)(_FILE)?[ \t]*[=:][ \t]*(?!/run/secrets/)\S", re.MULTILINE)


def instructions(word: str) -> list[str]:
    """The arguments of a Dockerfile's instructions of one kind, lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in joined.splitlines() if line.startswith(f"{word} ")]


def unit(place: Path) -> configparser.ConfigParser:
    made = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    made.optionxform = str  # type: ignore[assignment, method-assign]
    made.read_string(place.read_text(encoding="utf-8"))
    return made


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command that a deployment starts, and where it stands."""
    for name, service in SERVICES.items():
        if "image" in service and not service["image"].startswith("linli:"):
            continue
        if command := service.get("command"):
            yield f"compose.yaml {name}", [str(word) for word in command]
    for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines():
        yield f"Procfile {line.partition(':')[0]}", shlex.split(line.partition(":")[2])
    for place in UNITS:
        if place.suffix == ".service":
            yield place.name, shlex.split(unit(place)["Service"]["ExecStart"])
    for argument in [*instructions("CMD"), *(check.partition("CMD ")[2] for check in instructions("HEALTHCHECK"))]:
        yield "Dockerfile", shlex.split(yaml.safe_load(argument)[-1].removeprefix("exec "))


def test_images_are_pinned_by_version() -> None:
    used = [line.split()[0] for line in instructions("FROM")] + [service["image"] for service in SERVICES.values()]
    assert len(used) >= 8
    assert [image for image in used if not PINNED.fullmatch(image)] == []


def test_what_is_copied_is_there_and_let_through() -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    copied = [word for line in instructions("COPY") if not line.startswith("--from") for word in line.split()[:-1]]
    assert len(copied) > 10
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(fnmatch(name, pattern) for pattern in let_through), f".dockerignore keeps {name} back"


def test_nobody_is_root_and_packages_come_by_their_hashes() -> None:
    assert instructions("USER") == ["10001:10001"]
    (installed,) = [line for line in instructions("RUN") if "pip install" in line]
    assert "--require-hashes" in installed
    assert instructions("HEALTHCHECK")
    for name, service in SERVICES.items():
        if name != "postgres":  # it gives itself up after it has made its folder
            assert service["cap_drop"] == ["ALL"], name
            assert "no-new-privileges:true" in service["security_opt"], name


def test_nothing_holds_a_secret_and_none_has_a_default() -> None:
    for place in (ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "Procfile", *UNITS, ROOT / "deploy" / "environment.example"):
        assert SECRET.search(place.read_text(encoding="utf-8")) is None, place.name
    assert SECRET.search("  SECRET_KEY: abc"), "and it would be seen"
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"deploy/secrets/{name}"}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"deploy/secrets/", "deploy/tls/", "deploy/shop.env"} <= set(ignored)


def test_services_wait_for_what_they_need_and_databases_are_migrated_once() -> None:
    for name in ("web-1", "web-2", "worker"):
        needs = SERVICES[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["postgres"]["condition"] == needs["redis"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["nginx"]["depends_on"] == {name: {"condition": "service_healthy"} for name in ("web-1", "web-2")}
    for name in ("postgres", "redis", "nginx"):
        assert SERVICES[name]["healthcheck"]["test"], name
    assert {port for port in SERVICES if "ports" in SERVICES[port]} == {"nginx"}, "nobody else is reached from outside"


def test_volumes_and_secrets_that_are_used_are_named() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        for volume in service.get("volumes", []):
            source = str(volume).partition(":")[0]
            is_file = source.startswith("./deploy/") and not source.startswith("./deploy/tls")
            assert source in COMPOSE["volumes"] or source == "./deploy/tls" or (is_file and (ROOT / source).exists()), volume


def test_settings_that_are_set_are_settings_of_the_shop() -> None:
    known = {field.name for field in fields(Config)} | {f"{field.name}_FILE" for field in fields(Config)}
    of_images = {"INSTANCE_PATH", "LISTEN"}
    for name in ("web-1", "web-2", "worker", "migrate"):
        assert set(SERVICES[name]["environment"]) <= known | of_images, name
    example = (ROOT / "deploy" / "environment.example").read_text(encoding="utf-8").splitlines()
    told = {line.partition("=")[0] for line in example if line and not line.startswith("#")}
    assert told <= known
    set_by_file = {name.removesuffix("_FILE") for name in SERVICES["worker"]["environment"] if name.endswith("_FILE")}
    assert set_by_file == {name.upper() for name in COMPOSE["secrets"]} - {"POSTGRES_PASSWORD"}


def is_known(app: Flask, words: list[str]) -> bool:
    """Whether `flask` has a command of these words; what follows a command are its arguments."""
    command: click.Command | None = app.cli
    context = click.Context(app.cli)
    context.obj = ScriptInfo(create_app=lambda: app)
    for word in words:
        if not isinstance(command, click.Group):
            return True
        command = command.get_command(context, word)
        if command is None:
            return False
    return True


def test_every_command_is_one_that_exists(app: Flask) -> None:
    seen, missing = 0, set()
    for where, words in commands():
        seen += 1
        if "gunicorn" in words:
            assert words[-1] == "wsgi:app", where
        elif "script/probe" in words:
            assert (ROOT / "script" / "probe").exists(), where
        else:
            assert words[words.index("-m") + 1 :][:3] == ["flask", "--app", "wsgi"], where
            asked = words[words.index("wsgi") + 1 :]
            if not is_known(app, asked):
                missing.add(tuple(asked[:2]))
    assert seen >= 9
    assert missing == set()


@pytest.mark.parametrize("place", [place for place in UNITS if place.suffix == ".service"], ids=lambda place: place.name)
def test_units_are_not_root_and_may_do_little(place: Path) -> None:
    made = unit(place)["Service"]
    assert (made["User"], made["NoNewPrivileges"], made["ProtectSystem"], made["CapabilityBoundingSet"]) == ("linli", "yes", "strict", "")
    assert made["EnvironmentFile"] == "/etc/linli/environment"
    assert made["WorkingDirectory"] == "/srv/linli/current"


def test_who_stops_is_given_the_time_it_takes() -> None:
    """Ten seconds more than gunicorn and the worker wait for what is under way."""
    from shop.cli.jobs import STOP_WITHIN_SECONDS

    stops = [unit(place)["Service"] for place in UNITS if place.name in {"linli-web@.service", "linli-worker.service"}]
    assert [int(made["TimeoutStopSec"]) for made in stops] == [int(STOP_WITHIN_SECONDS) + 10] * 2
    assert COMPOSE["x-shop"]["stop_grace_period"] == "40s"
    assert "--graceful-timeout 30" in DOCKERFILE
    assert "--graceful-timeout 30" in stops[0]["ExecStart"]


def test_sockets_are_where_nginx_looks_for_them() -> None:
    said = (ROOT / "deploy" / "nginx" / "linli.conf").read_text(encoding="utf-8")
    looked_for = set(re.findall(r"server (unix:\S+)", said))
    assert looked_for == {SERVICES[name]["environment"]["LISTEN"] for name in ("web-1", "web-2")}
    started = unit(ROOT / "deploy" / "systemd" / "linli-web@.service")["Service"]["ExecStart"]
    assert looked_for == {f"unix:/run/linli/web-{number}/shop.sock" for number in (1, 2)}
    assert "unix:/run/linli/web-%i/shop.sock" in started


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    place.write_text("whsec_of_a_file\n")
    kinds: dict[str, type] = {"STRIPE_WEBHOOK_SECRET": str, "PROXY_HOPS": int}
    assert set(kinds.values()) <= set(READERS_OF_KINDS)
    assert read_settings(kinds, {"STRIPE_WEBHOOK_SECRET_FILE": str(place)}) == ({"STRIPE_WEBHOOK_SECRET": "whsec_of_a_file"}, [])
    _, problems = read_settings(kinds, {"STRIPE_WEBHOOK_SECRET_FILE": str(place), "STRIPE_WEBHOOK_SECRET": "whsec_of_the_environment"})
    assert problems == ["STRIPE_WEBHOOK_SECRET and STRIPE_WEBHOOK_SECRET_FILE are both set; one of them is meant."]
    _, problems = read_settings(kinds, {"STRIPE_WEBHOOK_SECRET_FILE": str(tmp_path / "gone")})
    assert problems == ["STRIPE_WEBHOOK_SECRET_FILE names a file that cannot be read."]
