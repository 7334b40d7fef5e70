"""The checks of clusters, bastions, security groups and functions: facts, and what is found in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from health.aws.database_url import DatabaseSettings, Destination
from health.aws.resources import Bastion, Cluster, LambdaFunction
from health.aws.security_groups import Rule, SecurityGroup
from health.config.environment import Environment
from health.finding import Finding
from plugins import fixes
from plugins.run.check_catalog import all_checks

CLUSTER = Cluster("a-dev-1", "available", 5432, "w.dev", "r.dev", security_groups=("sg-db",))
OTHER = Cluster("a-prod-1", "available", 5432, "w.prod", "r.prod")
BASTION = Bastion("i-1", "bastion-dev", "running", "54.1.2.3", "10.0.1.9", ("sg-bastion",))
AUTH = LambdaFunction("auth", "a-dev-auth", found=True, variables=("ADMIN_API_KEY", "DATABASE_URL"))
WORKER = LambdaFunction("worker", "a-dev-worker", found=True, variables=("DATABASE_URL",))
SETTINGS = DatabaseSettings("a-dev-auth", Destination("w.dev", 5432, "postgres"), current_password=True, host="w.dev")
RULE = Rule("tcp", 5432, 5432, ("sg-bastion",))
ENVIRONMENT = Environment(
    "dev", "dev", cluster_prefix="a-dev-", profile="p",
    variables={"auth": ("ADMIN_API_KEY", "DATABASE_URL"), "worker": ("DATABASE_URL",)},
)  # fmt: skip
HEALTHY: dict[str, Any] = {
    "environment": ENVIRONMENT,
    "clusters": (OTHER, CLUSTER),
    "cluster": CLUSTER,
    "bastions": (BASTION,),
    "bastion": BASTION,
    "security_groups": (SecurityGroup((RULE,)),),
    "functions": (AUTH, WORKER, LambdaFunction("", "a-dev-user", found=True)),
    "database_settings": (SETTINGS,),
}


def with_rule(rule: Rule) -> tuple[SecurityGroup, ...]:
    return (SecurityGroup((rule,)),)


CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "no cluster": ("one-cluster", {"clusters": (OTHER,)}, {"cluster-missing:a-dev-": "AWS has a-prod-1"}),
    "two clusters": (
        "one-cluster",
        {"clusters": (CLUSTER, replace(CLUSTER, identifier="a-dev-2"))},
        {"cluster-ambiguous:a-dev-": "a-dev-1, a-dev-2"},
    ),
    "stopped": (
        "cluster-available",
        {"cluster": replace(CLUSTER, status="stopped")},
        {"cluster-not-available:a-dev-1": "is stopped"},
    ),
    "a backup": ("cluster-available", {"cluster": replace(CLUSTER, status="backing-up")}, {}),
    "no bastion": ("bastion-running", {"bastions": ()}, {"bastion-missing:dev": "none at all"}),
    "two bastions": (
        "bastion-running",
        {"bastions": (BASTION, replace(BASTION, instance_id="i-2"))},
        {"bastion-ambiguous:dev": "i-1, running"},
    ),
    "its public address": (
        "security-group",
        {"security_groups": with_rule(Rule("tcp", 5432, 5432, ranges=("54.1.2.3/32",)))},
        {"security-group-closed:a-dev-1": "A rule names 54.1.2.3"},
    ),
    "a prefix list": (
        "security-group",
        {"security_groups": with_rule(Rule("tcp", 5432, 5432, prefix_lists=("pl-7",)))},
        {"security-group-unclear:a-dev-1": "pl-7"},
    ),
    "no group told": ("security-group", {"security_groups": ()}, {"security-group-unclear:a-dev-1": "no group"}),
    "no worker": (
        "functions",
        {"functions": (AUTH, replace(WORKER, found=False))},
        {"function-missing:a-dev-worker": "as worker"},
    ),
    "a variable": (
        "function-variables",
        {"functions": (AUTH, replace(WORKER, variables=("STAGE",)))},
        {"function-variable-missing:a-dev-worker": "lacks DATABASE_URL"},
    ),
    "the admin key has its own check": (
        "function-variables",
        {"functions": (replace(AUTH, variables=("DATABASE_URL",)), WORKER)},
        {},
    ),
    "an absent function lacks nothing more": (
        "function-variables",
        {"functions": (replace(AUTH, found=False, variables=()),)},
        {},
    ),
    "no URL": (
        "database-url",
        {"database_settings": (SETTINGS, replace(SETTINGS, function="f", destination=None))},
        {"database-url-stale:DATABASE_URL": "DATABASE_URL of f is no URL"},
    ),
    "two destinations": (
        "database-url",
        {
            "database_settings": (
                replace(SETTINGS, destination=Destination("old", 1, "x")),
                replace(SETTINGS, function="f", destination=Destination("w.prod", 5432, "postgres")),
            )
        },
        {
            "database-url-stale:old:1/x": "no endpoint that AWS knows of",
            "database-url-stale:w.prod:5432/postgres": "another cluster, a-prod-1",
        },
    ),
    "another host": (
        "database-host",
        {"database_settings": (SETTINGS, replace(SETTINGS, function="f", host="w.prod"))},
        {"database-host-stale:w.prod": "DATABASE_HOST of f is w.prod"},
    ),
    "no host": ("database-host", {"database_settings": (replace(SETTINGS, host=None),)}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_found(name: str) -> None:
    check, changes, expected = CASES[name]
    facts = {**HEALTHY, **changes}
    found = all_checks()[check].judge(facts)
    assert {finding.key for finding in found} == expected.keys()
    for finding in found:
        assert expected[finding.key] in finding.message
        suggested, reason = fixes.suggest(finding, facts)
        assert suggested or reason
        assert "defect" not in (reason or "")


@pytest.mark.parametrize("check", sorted({check for check, _, _ in CASES.values()}))
def test_nothing_found_in_what_is_healthy(check: str) -> None:
    assert all_checks()[check].judge(HEALTHY) == []


@pytest.mark.parametrize(
    ("finding", "begins", "undo"),
    [
        (
            Finding("security-group-closed", "a-dev-1", ""),
            "aws ec2 authorize-security-group-ingress --group-id sg-db --protocol tcp --port 5432 "
            "--source-group sg-bastion",
            "aws ec2 revoke-security-group-ingress --group-id sg-db --protocol tcp --port 5432 "
            "--source-group sg-bastion",
        ),
        (
            Finding("cluster-not-available", "a-dev-1", "", {"status": "stopped"}),
            "aws rds start-db-cluster --db-cluster-identifier a-dev-1",
            "aws rds stop-db-cluster --db-cluster-identifier a-dev-1",
        ),
    ],
)
def test_commands(finding: Finding, begins: str, undo: str) -> None:
    (fix,), _ = fixes.suggest(finding, HEALTHY)
    assert fix.body == f"{begins} --region us-east-1 --profile p"
    assert fix.undo == f"{undo} --region us-east-1 --profile p"
