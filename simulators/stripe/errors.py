"""Refusals in the shape of Stripe's API errors."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer that is not a success.

    `performed` says that what was written before the refusal stays (a declined card leaves a failed charge behind);
    otherwise the work of the call is undone.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        performed: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.performed = performed
        self.details = details

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON object Stripe would answer."""
        error: dict[str, Any] = {"message": str(self), "type": self.kind, **self.details}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = DOCUMENTATION + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        if self.status != 401:
            error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": dict(sorted(error.items()))}


def invalid(message: str, *, param: str | None = None, code: str | None = None, **details: Any) -> ApiError:
    """A 400 about the request itself."""
    return ApiError(400, message, param=param, code=code, **details)


def missing_parameter(param: str) -> ApiError:
    """A 400 naming the parameter that has to be there."""
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def no_such(kind: str, identifier: str, param: str, *, status: int = 404) -> ApiError:
    """The answer for an object that does not exist: 404 in a path, 400 when named in a parameter."""
    return ApiError(status, f"No such {kind}: '{identifier}'", param=param, code="resource_missing")


def not_simulated(param: str) -> ApiError:
    """Stripe takes this parameter; this program would silently ignore it, which is worse than refusing."""
    return invalid(
        f"The simulator does not act on {param}; Stripe would. Leave it out or teach the simulator.",
        param=param,
        code="simulator_unsupported",
    )
