"""The front before the sandbox's AWS: what real clients see through it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import botocore.parsers
import httpx
import pytest
from botocore.config import Config

from fixtures.clients.private_directory import private_directory
from sandbox.aws.proxy import AwsProxy, Static
from sandbox.aws.seed import Seed, aws_server
from sandbox.plan import AwsMode

CODES = {
    "sts:GetCallerIdentity": ("AccessDenied", "ExpiredToken", "Throttling"),
    "rds:DescribeDBClusters": ("AccessDenied", "ExpiredToken", "Throttling"),
    "ec2:DescribeInstances": ("UnauthorizedOperation", "RequestExpired", "RequestLimitExceeded"),
    "secretsmanager:ListSecrets": ("AccessDeniedException", "ExpiredTokenException", "ThrottlingException"),
    "logs:DescribeLogGroups": ("AccessDeniedException", "ExpiredTokenException", "ThrottlingException"),
    "lambda:ListFunctions": ("AccessDeniedException", "ExpiredTokenException", "TooManyRequestsException"),
    "apigateway:GetRoutes": ("AccessDeniedException", "ExpiredTokenException", "TooManyRequestsException"),
    "s3:ListObjectsV2": ("AccessDenied", "ExpiredToken", "SlowDown"),
}
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sts:GetCallerIdentity": ("sts", "get_caller_identity", {}),
    "rds:DescribeDBClusters": ("rds", "describe_db_clusters", {}),
    "ec2:DescribeInstances": ("ec2", "describe_instances", {}),
    "secretsmanager:ListSecrets": ("secretsmanager", "list_secrets", {}),
    "logs:DescribeLogGroups": ("logs", "describe_log_groups", {}),
    "lambda:ListFunctions": ("lambda", "list_functions", {}),
    "apigateway:GetRoutes": ("apigatewayv2", "get_routes", {"ApiId": "a1"}),
    "s3:ListObjectsV2": ("s3", "list_objects_v2", {"Bucket": "runs"}),
}


@pytest.fixture(scope="module")
def front() -> Iterator[AwsProxy]:
    with private_directory("aws") as place, aws_server(place) as url:
        made = AwsProxy()
        made.start()
        made.upstream = Seed(url).url
        yield made
        made.stop()


@pytest.fixture(autouse=True)
def whole(front: AwsProxy) -> None:
    front.modes = {}
    front.seen.clear()


def call(front: AwsProxy, operation: str, patience_s: float = 20) -> Any:
    service, method, parameters = CALLS[operation]
    config = Config(proxies={}, read_timeout=patience_s, retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client(
        service, region_name="us-east-1", endpoint_url=front.url, config=config,
        aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="secret",
    )  # type: ignore[call-overload]  # fmt: skip
    return getattr(client, method)(**parameters)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_refusal_is_worded_as_the_service_does(front: AwsProxy, operation: str, kind: int) -> None:
    kinds: tuple[AwsMode, ...] = ("denied", "expired", "throttled")
    front.modes[operation] = kinds[kind]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(front, operation)
    assert refused.value.response["Error"]["Code"] == CODES[operation][kind]
    assert front.seen == [operation]


@pytest.mark.parametrize("mode", ["reset", "silent", "half"])
@pytest.mark.parametrize("operation", ["rds:DescribeDBClusters", "lambda:ListFunctions"])
def test_no_answer_is_an_error_of_the_client(front: AwsProxy, operation: str, mode: AwsMode) -> None:
    front.modes[operation] = mode
    with pytest.raises(botocore.exceptions.BotoCoreError):
        call(front, operation, patience_s=0.5)


@pytest.mark.parametrize("mode", ["html", "cut"])
def test_botocore_takes_a_wrong_answer_for_an_empty_one(front: AwsProxy, mode: AwsMode) -> None:
    # What reads AWS must look for the member that it asked for: this client does not.
    front.modes["lambda:*"] = mode
    assert "Functions" not in call(front, "lambda:ListFunctions")
    front.modes = {"rds:*": mode}
    with pytest.raises((KeyError, botocore.parsers.ResponseParserError)):
        call(front, "rds:DescribeDBClusters")


def test_what_is_not_changed_is_motos_answer(front: AwsProxy) -> None:
    assert call(front, "sts:GetCallerIdentity")["Account"] == "123456789012"


def test_an_answer_is_changed(front: AwsProxy) -> None:
    front.changes["sts:GetCallerIdentity"] = lambda body: body.replace(b"123456789012", b"210987654321")
    try:
        assert call(front, "sts:GetCallerIdentity")["Account"] == "210987654321"
    finally:
        front.changes.clear()


def test_a_static_is_served_whole_and_by_range(front: AwsProxy) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a", "text")
    front.statics["/archives/a.zip"] = Static(data.getvalue(), "application/zip")
    url = f"{front.url}/archives/a.zip"
    with httpx.Client(trust_env=False) as client:
        whole = client.get(url)
        assert (whole.status_code, whole.content) == (200, data.getvalue())
        tail = client.get(url, headers={"Range": "bytes=-22"})
        assert (tail.status_code, tail.content) == (206, data.getvalue()[-22:])
        middle = client.get(url, headers={"Range": "bytes=2-5"})
        assert (middle.content, middle.headers["Content-Range"]) == (
            data.getvalue()[2:6], f"bytes 2-5/{len(data.getvalue())}",
        )  # fmt: skip
