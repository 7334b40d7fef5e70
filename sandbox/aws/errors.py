"""How AWS's services word a refusal, each in its own protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RefusalKind = Literal["denied", "expired", "throttled", "unknown"]


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


# (status, code) by kind; the code is spelt otherwise in each family of protocols.
_QUERY: Mapping[RefusalKind, tuple[int, str]] = {
    "denied": (403, "AccessDenied"), "expired": (403, "ExpiredToken"), "throttled": (400, "Throttling"),
    "unknown": (403, "InvalidClientTokenId"),
}  # fmt: skip
_EC2: Mapping[RefusalKind, tuple[int, str]] = {
    "denied": (403, "UnauthorizedOperation"), "expired": (400, "RequestExpired"),
    "throttled": (503, "RequestLimitExceeded"),
    "unknown": (401, "AuthFailure"),
}  # fmt: skip
_JSON: Mapping[RefusalKind, tuple[int, str]] = {
    "denied": (400, "AccessDeniedException"), "expired": (400, "ExpiredTokenException"),
    "throttled": (400, "ThrottlingException"),
    "unknown": (400, "UnrecognizedClientException"),
}  # fmt: skip
_REST: Mapping[RefusalKind, tuple[int, str]] = {
    "denied": (403, "AccessDeniedException"), "expired": (403, "ExpiredTokenException"),
    "throttled": (429, "TooManyRequestsException"),
    "unknown": (403, "UnrecognizedClientException"),
}  # fmt: skip
_S3: Mapping[RefusalKind, tuple[int, str]] = {
    "denied": (403, "AccessDenied"), "expired": (400, "ExpiredToken"), "throttled": (503, "SlowDown"),
    "unknown": (403, "InvalidToken"),
}  # fmt: skip
_GATEWAY: Mapping[RefusalKind, tuple[int, str]] = {  # API Gateway before a function; the message is all there is
    "denied": (403, "Forbidden"), "expired": (401, "Unauthorized"), "throttled": (429, "Too Many Requests"),
    "unknown": (403, "Forbidden"),
}  # fmt: skip
_SAID: Mapping[RefusalKind, str] = {
    "denied": "User is not authorized to perform this action",
    "expired": "The security token included in the request is expired",
    "throttled": "Rate exceeded",
    "unknown": "The security token included in the request is invalid",
}


def refusal(service: str, kind: RefusalKind) -> Refusal:
    """A service's way to refuse; without a service, API Gateway's."""
    said, xml, plain = _SAID[kind], {"Content-Type": "text/xml"}, {"Content-Type": "application/x-amz-json-1.1"}
    if not service:
        status, message = _GATEWAY[kind]
        return Refusal(status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode())
    if service == "ec2":
        status, code = _EC2[kind]
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{said}</Message></Error></Errors></Response>"
        return Refusal(status, xml, body.encode())
    if service in ("lambda", "apigateway"):
        status, code = _REST[kind]
        return Refusal(status, {**plain, "x-amzn-ErrorType": code}, json.dumps({"message": said}).encode())
    if service in ("logs", "secretsmanager"):
        status, code = _JSON[kind]
        return Refusal(status, plain, json.dumps({"__type": code, "message": said}).encode())
    if service == "s3":
        status, code = _S3[kind]
        return Refusal(status, xml, f"<Error><Code>{code}</Code><Message>{said}</Message></Error>".encode())
    status, code = _QUERY[kind]
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error></ErrorResponse>"
    )
    return Refusal(status, xml, body.encode())
