"""Which cluster and bastion are an environment's; what the API's answer means."""

from __future__ import annotations

import pytest

from health.api.status import classify
from health.aws.resources import Bastion, Cluster, choose_bastion, choose_cluster
from health.finding import CouldNotCheck


def cluster(identifier: str) -> Cluster:
    return Cluster(identifier, "available", 5432, f"{identifier}.w", f"{identifier}.r")


def bastion(name: str, address: str | None = None, state: str = "running") -> Bastion:
    return Bastion(f"i-{name}", name, state, address)


def test_the_cluster_is_the_one_of_its_prefix() -> None:
    clusters = [cluster("quo-integrations-local-dev-a"), cluster("quo-integrations-dev-b")]
    assert choose_cluster(clusters, "quo-integrations-dev-", "r").identifier == "quo-integrations-dev-b"


@pytest.mark.parametrize(
    ("identifiers", "told"),
    [([], "none at all"), (["x-prod-1"], "x-prod-1"), (["x-dev-1", "x-dev-2"], "x-dev-1, x-dev-2")],
)
def test_none_or_several_clusters_are_not_guessed(identifiers: list[str], told: str) -> None:
    with pytest.raises(CouldNotCheck) as error:
        choose_cluster([cluster(i) for i in identifiers], "x-dev-", "us-east-1")
    assert told in str(error.value)
    assert "cluster_prefix" in str(error.value)


@pytest.mark.parametrize(
    ("bastions", "address", "chosen"),
    [
        pytest.param([bastion("a", "1.1.1.1"), bastion("b-dev", "2.2.2.2")], "1.1.1.1", "a", id="by address"),
        pytest.param([bastion("a", "1.1.1.1"), bastion("b-dev", "2.2.2.2")], "9.9.9.9", "b-dev", id="by name"),
        pytest.param([bastion("b-dev"), bastion("devops")], None, "b-dev", id="the stage is a word"),
        pytest.param([bastion("B Dev"), bastion("prod")], None, "B Dev", id="case does not count"),
        pytest.param(
            [bastion("b-dev", None, "stopped"), bastion("b2-dev", "2.2.2.2")], None, "b2-dev", id="running first"
        ),
        pytest.param([bastion("b-dev", None, "stopped"), bastion("prod", "2.2.2.2")], "1.1.1.1", "b-dev", id="stopped"),
    ],
)
def test_the_bastion_is_chosen(bastions: list[Bastion], address: str | None, chosen: str) -> None:
    assert choose_bastion(bastions, address, "dev", "r").name == chosen


@pytest.mark.parametrize("bastions", [[], [bastion("prod")], [bastion("a-dev"), bastion("b-dev")]])
def test_none_or_several_bastions_are_not_guessed(bastions: list[Bastion]) -> None:
    with pytest.raises(CouldNotCheck, match="bastion"):
        choose_bastion(bastions, "1.1.1.1", "dev", "r")


COMMAND = "Command failed: node prisma/build/index.js migrate status --schema=/opt/schema.prisma\n"


@pytest.mark.parametrize(
    ("error", "state", "names"),
    [
        (COMMAND, "pending", ()),
        (COMMAND + "Following migration have failed:\n20260101000000_x\n", "failed", ("20260101000000_x",)),
        (
            COMMAND + "Following migrations have failed:\n20260101000000_x\n20260102000000_y",
            "failed",
            ("20260101000000_x", "20260102000000_y"),
        ),
        (
            COMMAND + "Your local migration history and the migrations table from your database are different:\n",
            "diverged",
            (),
        ),
        (COMMAND + "The current database is not managed by Prisma Migrate.", "no-history", ()),
        (COMMAND + "Error: P1001: Can't reach database server at `h`:`5432`", "unreachable", ()),
        ("Prisma schema not found at: /x", "broken", ()),
        (COMMAND.replace("status", "state"), "unclear", ()),
        ("", "unclear", ()),
    ],
)
def test_the_apis_text_decides(error: str, state: str, names: tuple[str, ...]) -> None:
    assert classify(False, error) == (state, names)
    assert classify(True, error) == ("up-to-date", ())
