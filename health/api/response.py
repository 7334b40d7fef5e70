"""What an HTTP answer of the migration API means: a status of the database, or why there is none."""

from __future__ import annotations

import re
from typing import Any, Literal

from health.api.status import ApiFailure, ApiStatus, FailureKind, classify, prisma_code
from health.sanitize import one_line
from health.secrets.secret import hide

Absent = Literal["gateway", "express", "application"]
_SAID = 200  # characters of the API's own words

# Words in `details` of Frigg's own 500 → what they mean and what to do.
_FAILURES = (
    (r"rate exceeded|toomanyrequests|throttl", "Its worker takes one call at a time and is at work: a migration or "
     "another status call is running. Wait and run again."),
    (r"not authorized|accessdenied", "The router may not call the worker: its role lacks lambda:InvokeFunction."),
    (r"resourcenotfound|function not found", "The router calls a worker that is not there: deploy again."),
    (r"invocation failed|timed out|runtime exited", "The worker crashed or ran out of time: its log says why."),
    (r"cannot find module|schema not found|could not find schema-engine", "The worker's package is not complete: "
     "build it and the layer anew, and deploy."),
    (r"failed to parse lambda response", "The worker answered the router something else than JSON: see its log."),
)  # fmt: skip


def understand(url: str, status: int, body: str, answer: Any) -> ApiStatus:
    """Judge an answer.

    Args:
        url: what was asked.
        status: of HTTP.
        body: as text.
        answer: the body as JSON; None where it is none.
    """
    if status == 200:  # noqa: PLR2004 - HTTP OK
        return _status(url, body, answer)
    if status in (401, 403):
        return _problem(url, "unauthorized", _unauthorized(status, answer), status)
    if status == 404:  # noqa: PLR2004
        return _not_found(url, body, answer)
    if 300 <= status < 400:  # noqa: PLR2004
        told = "It redirects elsewhere, and the key is not sent there. Check api_url in the registry."
        return _problem(url, "unclear", f"It answers {status}. {told}", status)
    if status in (429, 502, 503, 504):
        message = (
            f"API Gateway answers {status}{quoted(answer)} in the API's place: the function took longer than 30 s, "
            "which a cold start with a paused cluster does, or too many of them run. Run again in a minute."
        )
        return _problem(url, "unavailable", message, status)
    kind: FailureKind = "failed" if status >= 500 else "unclear"  # noqa: PLR2004
    why = f" {_failure(answer)}" if kind == "failed" else ""
    return _problem(url, kind, f"It answers {status}{quoted(answer)}.{why}", status)


def absent(status: int, body: str, answer: Any) -> Absent | None:
    """Which of the three has no such path, where a 404 says that."""
    if status != 404:  # noqa: PLR2004
        return None
    if answer == {"message": "Not Found"}:
        return "gateway"
    return "express" if re.search(r"Cannot (GET|POST) /", body) else "application"


def _status(url: str, body: str, answer: Any) -> ApiStatus:
    if not isinstance(answer, dict):
        return _problem(url, "unclear", f"It answers 200 and {_kind(body, answer)}.", 200)
    up_to_date, error = answer.get("upToDate"), answer.get("error") or ""
    if not isinstance(up_to_date, bool):
        return _problem(url, "unclear", "Its answer does not say upToDate: true or false.", 200)
    if not isinstance(error, str):
        return _problem(url, "unclear", "The error in its answer is not a text.", 200)
    state, names = classify(up_to_date, error)
    if state == "broken":
        said = next(line for line in error.splitlines() if classify(False, line)[0] == "broken")
        told = f"Its worker cannot run Prisma: {one_line(hide(said), _SAID)}. {_failure({'details': said})}"
        return _problem(url, "failed", told, 200)
    return ApiStatus(url, state, names, code=prisma_code(error))


def _unauthorized(status: int, answer: Any) -> str:
    said = _words(answer)
    if status == 403:  # noqa: PLR2004
        return f"It answers 403{quoted(answer)}: an authorizer, a firewall or a policy before the application refuses."
    if "not configured" in said:
        return "It answers 401: it was deployed without ADMIN_API_KEY, and refuses everyone."
    if said == "Unauthorized":  # the wording of the generations until October 2025
        return (
            "It answers 401 to the key that the auth function holds. It words that as the releases do which take "
            "the key as x-api-key: upgrade Frigg."
        )
    return "It answers 401 to the key that the auth function holds."


def _not_found(url: str, body: str, answer: Any) -> ApiStatus:
    message = {
        "gateway": "API Gateway answers Not Found under /db-migrate and /admin/db-migrate: the routes of the "
        "migration API are not deployed there, or api_url names another API.",
        "express": "API Gateway routes this path and the application does not know it: route and prefix of the "
        "release disagree. Deploy both from one release of Frigg.",
        "application": f"The application itself answers 404{quoted(answer)}: this release has no status call, or "
        "another application stands at api_url.",
    }[absent(404, body, answer) or "application"]
    return _problem(url, "not found", message, 404)


def _failure(answer: Any) -> str:
    said = _words(answer)
    for pattern, meaning in _FAILURES:
        if re.search(pattern, said, re.IGNORECASE):
            return meaning
    return "The router itself failed: its log says why."


def _words(answer: Any) -> str:
    """What a JSON answer gives as its reason."""
    if not isinstance(answer, dict):
        return ""
    said = next((answer[key] for key in ("details", "message", "error") if isinstance(answer.get(key), str)), "")
    return one_line(hide(said), _SAID)


def quoted(answer: Any) -> str:
    """The API's own words in brackets, with a space before; nothing where it has none."""
    said = _words(answer)
    return f" ({said.rstrip('.')})" if said else ""


def _kind(body: str, answer: Any) -> str:
    if not body.strip():
        return "nothing"
    if answer is not None:
        return "JSON that is no object"
    if body.lstrip().startswith("<"):
        return "a page of HTML: a login page or another site stands at api_url"
    return "no JSON, or half of it"


def _problem(url: str, kind: FailureKind, message: str, status: int) -> ApiStatus:
    return ApiStatus(url, problem=ApiFailure(kind, url, message, status))
