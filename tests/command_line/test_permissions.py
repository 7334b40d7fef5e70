"""Least privilege: the shipped IAM policy allows what a run calls, and nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from fixtures.clients.aws_errors import iam_action
from health.check import CHECKS
from health.finding import NothingToCheck
from plugins import fixes
from plugins.paths import ROOT
from sandbox.aws.proxy import AwsProxy
from tests.support import sandbox as harness

POLICY = ROOT / "docs" / "reference" / "iam-policy.json"
UNNARROWED = {"sts:GetCallerIdentity", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups", "lambda:ListFunctions"}


@pytest.fixture(scope="module")
def called() -> set[str]:
    """The IAM actions behind every operation that all checks call for."""
    with harness.sandbox() as entry:
        front = AwsProxy(upstream=entry["aws_endpoint_url"])
        front.start()
        env = harness.environment(entry, aws_endpoint_url=front.url)
        with harness.facts(env) as read:
            told = harness.judge_all(read)
            for need in {need for check in CHECKS.values() for code in check.finds for need in fixes.needs(code)}:
                with suppress(NothingToCheck):
                    read[need]  # what fixes are built from
        front.stop()
    # It has no schema file, for which AWS would not be asked either.
    assert [name for name, reason in told.items() if isinstance(reason, str)] == ["schema-file-has-no-unwritten-change"]
    return {iam_action(*operation.split(":")) for operation in front.seen if ":" in operation}


def statements() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(POLICY.read_text())["Statement"]
    return read


def actions(statement: dict[str, Any]) -> set[str]:
    listed = statement["Action"]
    return {listed} if isinstance(listed, str) else set(listed)


ALLOWED = set[str]().union(*map(actions, statements()))


def test_whatever_is_called_is_allowed(called: set[str]) -> None:
    assert called <= ALLOWED


def test_whatever_is_allowed_is_called(called: set[str]) -> None:
    assert called >= ALLOWED


def test_only_reading_is_allowed() -> None:
    verbs = {action.partition(":")[2] for action in ALLOWED}
    assert {verb for verb in verbs if not verb.startswith(("Describe", "Get", "List", "Filter", "GET"))} == set()
    assert not any("*" in action for action in ALLOWED)


def test_what_aws_can_narrow_is_narrowed() -> None:
    everywhere = [actions(each) for each in statements() if each["Resource"] == "*"]
    assert set[str]().union(*everywhere) == UNNARROWED
    assert {each["Effect"] for each in statements()} == {"Allow"}


def test_every_action_is_explained() -> None:
    text = (ROOT / "docs" / "guides" / "permissions.md").read_text()
    assert {action for action in ALLOWED if f"`{action}`" not in text} == set()
