"""A house as it stands in production: nginx with the configuration of deploy/nginx, two instances of the web server behind it.

Only places are different: ports instead of 80 and 443, a folder instead of /run, /etc and /var/cache. Each of them is looked for, so
that a configuration which says something else than this knows is not tried by mistake.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from script.support.places import ROOT
from script.support.probe import is_ready_within, status_of
from script.support.release import Instance
from script.support.services import free_port
from tests.support.cities import Template, set_clock
from tests.support.running import House, wait_until

FILES = ROOT / "deploy" / "nginx"
INSTANCES = ("web-1", "web-2")


def nginx() -> str:
    """The program; empty when this machine has none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or ""


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, as nginx wants to find them; the certificate."""
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    place = folder / "fullchain.pem"
    place.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return place


def moved(text: str, places: Mapping[str, str]) -> str:
    """The text with every place moved, in one go; each of them must be there."""
    for written in places:
        assert written in text, f"deploy/nginx does not say {written!r}"
    return re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)


@dataclass
class ProxiedHouse(House):
    """A house whose visitors come through nginx. `changes` are made to linli.conf, for controls."""

    changes: Mapping[str, str] = field(default_factory=dict)
    place: Path = Path()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ports |= {"plain": free_port()}
        self.settings = {"PROXY_HOPS": "1", "COOKIES_SECURE": "1", "WEB_CONCURRENCY": "1", **self.settings}
        self.certificate = make_certificate(self.place / "tls")
        self.web.verify = str(self.certificate)

    def address(self, name: str = "web") -> str:
        return super().address(name).replace("http:", "https:") if name == "web" else super().address(name)

    def instance(self, name: str) -> Instance:
        return Instance(name, f"unix:{self.place}/run/{name}/shop.sock")

    def start_web(self, crash_at: str = "", workers: int | None = None) -> None:
        for name in INSTANCES:
            self.start_instance(name)
        for name in INSTANCES:
            assert is_ready_within(self.instance(name).place, 60), self.last_words()
        self.start_nginx()

    def start_instance(self, name: str) -> None:
        """As the unit in deploy/systemd does."""
        place = self.instance(name).place
        Path(place.removeprefix("unix:")).parent.mkdir(parents=True, exist_ok=True)
        self.run(name, [sys.executable, "-m", "gunicorn", "--bind", place, "--graceful-timeout", "30", "--preload", "wsgi:app"])

    def start_nginx(self) -> None:
        here = str(self.place)
        for name in ("linli-pages", "linli-proxy.conf"):
            copy = shutil.copytree if (FILES / name).is_dir() else shutil.copyfile
            copy(FILES / name, self.place / name)  # type: ignore[operator]
        whole = {"pid /tmp/nginx.pid": f"pid {here}/nginx.pid", "/tmp/linli-": f"{here}/", "/etc/nginx/conf.d/": f"{here}/"}
        (self.place / "nginx.conf").write_text(moved((FILES / "nginx.conf").read_text(encoding="utf-8"), whole))
        plain, secure = self.ports["plain"], self.ports["web"]
        shop = {
            "listen [::]:80 default_server;": "", "listen [::]:443 ssl http2 default_server;": "",
            "listen 80 ": f"listen 127.0.0.1:{plain} ", "listen 443 ": f"listen 127.0.0.1:{secure} ", "/run/linli/": f"{here}/run/",
            "/etc/linli/tls/": f"{here}/tls/", "/var/cache/nginx/linli": f"{here}/cache", "/etc/nginx/": f"{here}/", **self.changes,
        }  # fmt: skip
        (self.place / "linli.conf").write_text(moved((FILES / "linli.conf").read_text(encoding="utf-8"), shop))
        alone = "daemon off;" + (" user root root;" if os.geteuid() == 0 else "")
        self.run("nginx", [nginx(), "-p", here, "-c", f"{here}/nginx.conf", "-g", alone])
        wait_until(self.is_ready, 30, "nginx passing on")

    def is_ready(self) -> bool:
        assert not self.children["nginx"].has_ended(), self.last_words()
        try:
            return self.web.get(f"{self.address()}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def restart_instance(self, name: str, patience: float = 40.0) -> int:
        """As `systemctl restart` does: a polite end, then a new start; how the old one ended."""
        self.end(name, patience)
        self.start_instance(name)
        return 0

    def end(self, name: str, patience: float = 40.0) -> None:
        child = self.children.pop(name)
        child.ask_to_stop()
        assert child.wait(patience), f"{name} did not stop:\n{self.last_words()}"
        code = child.bury()
        assert code == 0, f"{name} ended with {code}:\n{self.last_words()}"

    def status_of(self, name: str) -> int:
        return status_of(self.instance(name).place)

    def stop(self) -> None:
        for names in (("nginx",), INSTANCES):
            group = [self.children.pop(name) for name in names if name in self.children]
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.wait(12)
                child.bury()
        super().stop()


@contextmanager
def proxied_house(template: Template, folder: Path, changes: Mapping[str, str] | None = None, **settings: str) -> Iterator[ProxiedHouse]:
    """A house around a fresh copy of the demo city, behind nginx. Its sockets lie where their paths are short enough to be bound."""
    folder.mkdir(parents=True, exist_ok=True)
    url = template.copy(folder)
    set_clock(folder, template.shift)
    with tempfile.TemporaryDirectory(prefix="linli-", ignore_cleanup_errors=True) as place:
        house = ProxiedHouse(folder, url, 1, settings, shift=template.shift, changes=changes or {}, place=Path(place))
        try:
            house.start()
            yield house
        finally:
            house.stop()
            template.drop(url)
