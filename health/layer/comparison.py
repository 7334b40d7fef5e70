"""The layer that the functions carry, and its migrations against those of the checkout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from health.aws.resources import LambdaFunction
from health.migrations.directory import MigrationDirectory
from health.prisma.engine import same_checksum

_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:([\w-]+):(\d+)", re.ASCII)


@dataclass(frozen=True)
class CarriedLayer:
    """Which version of the layer each function carries.

    Attributes:
        name: of the layer.
        versions: function → version, of those that carry it.
        deploys: the version of the function that migrates; where that carries none, the highest.
    """

    name: str
    versions: Mapping[str, int]
    deploys: int


@dataclass(frozen=True)
class DeployedLayer:
    """The migrations in the layer that the migrating function carries: name → checksum of the file."""

    name: str
    version: int
    checksums: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


@dataclass(frozen=True)
class LayerComparison:
    """Names of migrations: in the checkout alone, in both with another text, in the layer alone."""

    lacking: tuple[str, ...]
    different: tuple[str, ...]
    ahead: tuple[str, ...]


def carried(functions: Iterable[LambdaFunction], layer: str) -> CarriedLayer | None:
    """Which versions of a layer the functions carry; None where none carries it."""
    versions: dict[str, int] = {}
    deploys = None
    for function in functions:
        for arn in function.layers:
            parts = _ARN.fullmatch(arn)
            if parts is not None and parts[1] == layer:
                versions[function.name] = int(parts[2])
                if function.purpose == "worker":
                    deploys = int(parts[2])
    return CarriedLayer(layer, versions, deploys or max(versions.values())) if versions else None


def compare(layer: DeployedLayer, directory: MigrationDirectory) -> LayerComparison:
    """The layer against the checkout; a migration without a file is not compared, and line endings do not count."""
    lacking, different = [], []
    for migration in directory.migrations:
        if migration.sql is None or migration.checksum is None:
            continue
        if (deployed := layer.checksums.get(migration.name)) is None:
            lacking.append(migration.name)
        elif not same_checksum(migration.sql, migration.checksum, deployed):
            different.append(migration.name)
    ahead = sorted(set(layer.checksums) - directory.names)
    return LayerComparison(tuple(lacking), tuple(different), tuple(ahead))
