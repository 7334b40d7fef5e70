"""The layer that brings Prisma's client and the migrations to the functions."""

from collections.abc import Iterator

from checks.causes import FAILED, NOT_APPLIED
from health.check import DEPLOY_MENDS, SeverityByPhase, check
from health.finding import Evidence, Finding
from health.layer.comparison import CarriedLayer, DeployedLayer, compare
from health.migrations.directory import MigrationDirectory, place_in


@check(finds={"layer-versions-differ": "warning"})
def test_layer_version(carried_layer: CarriedLayer) -> Iterator[Finding]:
    """All functions carry the same version of the layer.

    The worker migrates with the migrations of its version, and the others run the Prisma client of theirs. Two
    versions at once are what a deploy leaves that stopped half way, or that went to one function only: code then
    meets a schema that its client does not know.

    Mend it by deploying the whole application again.
    """
    by_version: dict[int, list[str]] = {}
    for function, version in carried_layer.versions.items():
        by_version.setdefault(version, []).append(function)
    if len(by_version) > 1:
        told = "; ".join(f"version {version}: {', '.join(names)}" for version, names in sorted(by_version.items()))
        yield Finding(
            "layer-versions-differ",
            carried_layer.name,
            f"Its functions carry {len(by_version)} versions of it. {told}.",
            {"versions": tuple(map(str, sorted(by_version)))},
        )


@check(
    finds={
        "stale-layer": DEPLOY_MENDS,
        "layer-mismatch": SeverityByPhase(before="warning", after="error", nightly="warning"),
        "layer-ahead": "warning",
    },
    explained_by={
        "stale-layer": (*NOT_APPLIED, *FAILED, "pending-migration"),
        "layer-mismatch": ("edited-migration", "comment-edited-migration", "edited-after-failure"),
    },
)
def test_layer_migrations(deployed_layer: DeployedLayer, migrations: MigrationDirectory) -> Iterator[Finding]:
    """The layer that is deployed holds the checkout's migrations, with the same text.

    The worker applies what its layer holds, whatever the checkout says. A deploy builds the layer only where
    `layers/prisma/.build-complete` is absent: from a developer's machine it ships the layer of an earlier build,
    and migrates nothing. An edit in `node_modules`, as the guide's Option C makes it, is gone with the next
    install, so layer and checkout part. A migration that only the layer holds says that the checkout is older
    than what runs.

    Mend it by deploying with a layer that is built anew, or by bringing the checkout up to date.
    """
    compared = compare(deployed_layer, migrations)
    layer: Evidence = {"layer": deployed_layer.name, "version": deployed_layer.version}
    for name in compared.lacking:
        yield Finding(
            "stale-layer",
            name,
            f"The deployed layer ({deployed_layer}) lacks it, so the worker cannot apply it. That is so until it "
            "is deployed for the first time. After that deploy it means that a layer of an earlier build was shipped: "
            "layers/prisma/.build-complete was there.",
            {**layer, "migration": name},
            place=place_in(name),
        )
    for name in compared.different:
        yield Finding(
            "layer-mismatch",
            name,
            f"The deployed layer ({deployed_layer}) holds another text of it than {migrations.path}: the layer was "
            "built from an edited node_modules, or the file was edited since. The next install or deploy changes "
            "what runs.",
            {**layer, "migration": name, "deployed": deployed_layer.checksums[name]},
            place=place_in(name),
        )
    for name in compared.ahead:
        yield Finding(
            "layer-ahead",
            name,
            f"The deployed layer ({deployed_layer}) holds it, {migrations.path} does not: the checkout is older than "
            "what runs. A deploy from here takes it away again.",
            {**layer, "migration": name},
        )
