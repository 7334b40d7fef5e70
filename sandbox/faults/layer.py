"""Faults of the deployed layer."""

from __future__ import annotations

from sandbox.faults import fault
from sandbox.plan import Plan


@fault("stale-layer")
def stale_layer(plan: Plan) -> None:
    """The deployed layer is of an earlier build, without the last migration."""
    plan.layer = lambda files: {name: files[name] for name in sorted(files)[:-1]}


@fault("layer-mismatch")
def layer_mismatch(plan: Plan) -> None:
    """The deployed layer was built from an edited node_modules: the last migration has another text."""
    plan.layer = lambda files: {**files, max(files): files[max(files)] + b'DROP TABLE IF EXISTS "Process";\n'}


@fault("layer-ahead")
def layer_ahead(plan: Plan) -> None:
    """The deployed layer holds a migration that the checkout does not: a newer version runs."""
    plan.layer = lambda files: {**files, "99990101000000_of_a_newer_version": b"SELECT 1;\n"}


@fault("layer-versions-differ")
def layer_versions_differ(plan: Plan) -> None:
    """The auth function carries an older version of the layer than the worker."""
    plan.layer_of_auth = 1
