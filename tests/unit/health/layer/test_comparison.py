"""The layer's migrations against the checkout's, and which version counts."""

from __future__ import annotations

import pytest

from health.aws.resources import LambdaFunction
from health.layer.comparison import CarriedLayer, DeployedLayer, LayerComparison, carried, compare
from health.migrations.directory import Migration, MigrationDirectory
from health.prisma.engine import checksum

ARN = "arn:aws:lambda:us-east-1:123456789012:layer:{}:{}"


def directory(**texts: str | None) -> MigrationDirectory:
    made = (Migration(name, sql, None if sql is None else checksum(sql)) for name, sql in texts.items())
    return MigrationDirectory("/m", "test", tuple(made))


@pytest.mark.parametrize(
    ("layer", "checkout", "expected"),
    [
        ({"a": "1"}, {"a": "1"}, LayerComparison((), (), ())),
        ({"a": "1"}, {"a": "1", "b": "2"}, LayerComparison(("b",), (), ())),
        ({"a": "1"}, {"a": "2"}, LayerComparison((), ("a",), ())),
        ({"a": "1", "c": "1", "b": "1"}, {"a": "1"}, LayerComparison((), (), ("b", "c"))),
        ({"a": "1\n2\n"}, {"a": "1\r\n2\r\n"}, LayerComparison((), (), ())),
        ({}, {"a": None}, LayerComparison((), (), ())),
        ({"a": "1"}, {"a": None}, LayerComparison((), (), ())),
    ],
)
def test_comparison(layer: dict[str, str], checkout: dict[str, str | None], expected: LayerComparison) -> None:
    deployed = DeployedLayer("prisma", 1, {name: checksum(sql) for name, sql in layer.items()})
    assert compare(deployed, directory(**checkout)) == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({"auth": "prisma:1", "worker": "prisma:2"}, CarriedLayer("prisma", {"auth": 1, "worker": 2}, 2)),
        ({"auth": "prisma:3", "worker": "prisma:2"}, CarriedLayer("prisma", {"auth": 3, "worker": 2}, 2)),
        ({"auth": "prisma:3", "other": "prisma:9"}, CarriedLayer("prisma", {"auth": 3, "other": 9}, 9)),
        ({"auth": "prisma:3", "worker": "sharp:2"}, CarriedLayer("prisma", {"auth": 3}, 3)),
        ({"auth": "prisma-dev:3", "worker": "my-prisma:2"}, None),
    ],
)
def test_the_migrating_functions_version_counts(layers: dict[str, str], expected: CarriedLayer | None) -> None:
    functions = [
        LambdaFunction(purpose, purpose, found=True, layers=(ARN.format(*layer.split(":")),))
        for purpose, layer in layers.items()
    ]
    assert carried(functions, "prisma") == expected
