"""The request itself, without Flask's proxy before it: each word said to a proxy costs half a dozen calls."""

from __future__ import annotations

from typing import Any

from flask import Request, request

_proxy: Any = request


def this_request() -> Request:
    """The request that is answered here. Raises `RuntimeError` outside of one."""
    found: Request = _proxy._get_current_object()
    return found
