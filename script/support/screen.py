"""What people see while the shop runs: prefixed lines, and the welcome with addresses and sign-ins, in Chinese and English."""

from __future__ import annotations

import os
import sys
import threading
import unicodedata
from collections.abc import Sequence

from script.support.settings import Ports, address

COLOURS = {"web": 36, "worker": 33, "stripe": 35, "biller": 32, "sms": 34, "server": 1}
LONGEST_NAME = max(len(name) for name in COLOURS)

SIGN_INS = (
    ("13800000001", "李梅, 居民, 甜城湖, 钱包 ¥500.00", "resident, Tianchenghu, wallet ¥500.00"),
    ("13800000002", "王强, 居民, 甜城湖", "resident, Tianchenghu"),
    ("13800000003", "陈桂芳, 72 岁, 玉溪苑, 长辈版", "resident, Yuxiyuan, elder mode"),
    ("13800000011", "商家店主 orange-coop", "merchant, owner of orange-coop"),
    ("13800000012", "商家店主 fruit-hall", "merchant, owner of fruit-hall"),
    ("13800000013", "商家店员 mall", "merchant, clerk of mall"),
    ("13800000021", "站长, 甜城湖", "station keeper, Tianchenghu"),
    ("13800000022", "站长, 玉溪苑", "station keeper, Yuxiyuan"),
    ("13800000031", "平台运营", "operator"),
    ("13800000032", "财务", "finance"),
    ("13800000033", "审计 (只读)", "auditor (read-only)"),
)
DEMO_SECRETS = (
    ("控制台动态口令密钥", "TOTP secret of the consoles", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    ("居民钱包密码", "wallet PIN of residents", "246810"),
)


class Screen:
    """Prints whole lines from several threads, each with the short name of who said it."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: str) -> None:
        """Print one line of one program. When nobody reads any more, the programs still run on."""
        prefix = f"{name:<{LONGEST_NAME}} |"
        if self.coloured:
            prefix = f"\033[{COLOURS.get(name, 37)}m{prefix}\033[0m"
        self.block([f"{prefix} {text}"])

    def block(self, lines: Sequence[str]) -> None:
        """Print some lines without another program's line in between."""
        with self.turn:
            try:
                print("\n".join(lines), flush=True)
            except (OSError, ValueError):
                return


def width(text: str) -> int:
    """How many columns a text takes on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def padded(text: str, columns: int) -> str:
    """The text filled up with spaces to a number of columns."""
    return text + " " * max(columns - width(text), 0)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned lines, two spaces in front and between."""
    if not rows:
        return []
    columns = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    return ["  " + "  ".join(padded(cell, columns[index]) for index, cell in enumerate(row)).rstrip() for row in rows]


def welcome(ports: Ports, *, simulators: Sequence[str], demo: bool) -> list[str]:
    """The lines shown once the shop answers."""
    addresses = [("商城", "Shop", address(ports.web))]
    if "sms" in simulators:
        addresses.append(("短信收件箱 (验证码在这里)", "SMS inbox (sign-in codes arrive here)", address(ports.sms)))
    if "stripe" in simulators:
        addresses.append(("Stripe 模拟器", "Stripe simulator", address(ports.stripe)))
    if "biller" in simulators:
        addresses.append(("缴费单位模拟器", "Biller simulator", address(ports.biller)))
    lines = ["", "邻里已就绪 · Linli is ready", "", *table(addresses)]
    if demo:
        lines += ["", "演示账号: 用手机号登录, 验证码见短信收件箱"]
        lines += ["Demo people: sign in with the phone number; the code is in the SMS inbox", ""]
        lines += [*table(SIGN_INS), "", *table(DEMO_SECRETS)]
    return [*lines, "", "按 Ctrl-C 停止 · Ctrl-C stops everything", ""]
