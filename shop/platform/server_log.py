"""gunicorn's own words (`gunicorn.conf.py`), as discreet and in the same form as ours."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from config import Config
from shop.kernel import discretion
from shop.platform.logs import lines_of


class ServerLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What it has to say of processes that begin, end and fail. Requests are told by the shop."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        discretion.install()
        lines = lines_of(vars(Config.from_environment()))
        for handler in self.error_log.handlers:
            handler.setFormatter(lines)
