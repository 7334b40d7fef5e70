"""Imports point one way: between layers, between the topics of a layer, and between modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from plugins.paths import ROOT
from plugins.run.check_catalog import all_checks

# What a layer may import beside itself. The plugins load the checks by their files.
LAYERS = {
    "migration_health": set(),
    "health": set(),
    "fixtures": {"health"},
    "checks": {"health"},
    "plugins": {"fixtures", "health", "migration_health"},
    "sandbox": {"fixtures", "health"},
    "ci": {"health"},  # ci/notify reads the record
    "tests": {"checks", "ci", "conftest", "fixtures", "health", "migration_health", "plugins", "sandbox"},
    "bench": {"ci", "fixtures", "health", "plugins", "tests"},  # it starts runs as the tests do
}  # fmt: skip
# A sandbox is no environment: it reads no fact, only files as Prisma lists them.
OF_THE_SANDBOX = ("fixtures.clients", "fixtures.clone.servers", "fixtures.migrations.directory")
# Each topic may import those before it.
TOPICS = {
    "health": "sql secrets catalog schema_file read_only waivers aws logs pending clone prisma application migrations "
    "config history layer tunnel schema reconstruction data api runs editing nightly report saved",
    "fixtures": "clients config application aws secrets tunnel migrations database logs layer api clone schema_file "
    "data read_only runs reconstruction history schema pending editing preflight",
    "plugins": "fixes redaction run output commands",
}
# Below the checks nothing names a check or a finding, but for these.
NAMED = {
    "health.api.agreement": {"no-history"},  # a state of the API that is worded like the finding
    "health.api.status": {"no-history"},
    # Kinds of trouble in a log, and what to do about them; the latter belongs with the fixes.
    "health.logs.patterns": {"database-unreachable", "no-failed-migration", "no-history"},
    "health.read_only.proof": {"nothing-written"},  # a line of the header refers to the check
    "health.waivers.waivers": {"expired-waiver", "malformed-waiver", "unused-waiver"},  # they cannot be waived
}

# Below the checks nothing makes a finding, but for these.
FINDERS = {
    "health.data.invariants",  # the check of a SQL file
    "health.waivers.waivers",  # of unused waivers, which are known only when all checks have ended
}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    module_of(path): ast.parse(path.read_text())
    for layer in LAYERS
    for path in (ROOT / layer).rglob("*.py")
}  # fmt: skip


def imported(module: str) -> Iterator[str]:
    """The modules of ours that a module imports, also inside its functions."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in TREES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            whole = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in TREES else str(node.module) for name in whole)


EDGES = [(module, other) for module in TREES for other in sorted(set(imported(module)) - {module}) if other in TREES]


def layer_of(module: str) -> str:
    return module.partition(".")[0]


def topic_of(module: str) -> str | None:
    """The package within a layer; None of a module at the root of its layer."""
    layer, *inner = module.split(".")
    return inner[0] if inner and (ROOT / layer / inner[0]).is_dir() else None


def circle(edges: list[tuple[str, str]]) -> list[str]:
    """A way along the edges that leads back to where it begins; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for one, other in edges:
        if one != other:
            graph.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_layers_point_down() -> None:
    assert {
        (module, other)
        for module, other in EDGES
        if layer_of(other) != layer_of(module) and layer_of(other) not in LAYERS[layer_of(module)]
    } == set()


def test_the_sandbox_reads_no_fact() -> None:
    assert {
        (module, other)
        for module, other in EDGES
        if layer_of(module) == "sandbox" and layer_of(other) == "fixtures" and not other.startswith(OF_THE_SANDBOX)
    } == set()


def test_clients_know_no_fact() -> None:
    assert {
        (module, other)
        for module, other in EDGES
        if module.startswith("fixtures.clients.") and not other.startswith(("fixtures.clients", "health."))
    } == set()


@pytest.mark.parametrize("layer", TOPICS)
def test_topics_point_one_way(layer: str) -> None:
    order = TOPICS[layer].split()
    within = [
        (topic_of(one), topic_of(other), one) for one, other in EDGES if layer_of(one) == layer_of(other) == layer
    ]
    wrong = [
        (module, other)
        for topic, other, module in within
        if other is not None and topic != other and (topic is None or order.index(topic) < order.index(other))
    ]
    assert wrong == []
    assert {path.name for path in (ROOT / layer).iterdir() if (path / "__init__.py").exists()} == set(order)


def test_nothing_imports_itself_by_a_detour() -> None:
    assert circle(EDGES) == []
    assert circle([(layer_of(one), layer_of(other)) for one, other in EDGES]) == []
    for layer in (*TOPICS, "sandbox"):
        inside = [(one, other) for one, other in EDGES if layer_of(one) == layer_of(other) == layer]
        assert circle([(topic_of(one) or one, topic_of(other) or other) for one, other in inside]) == []


def test_nothing_below_the_checks_names_a_check_or_a_finding() -> None:
    checks = all_checks()
    known = {name for name in {*checks, *(code for check in checks.values() for code in check.finds)} if "-" in name}
    named: dict[str, set[str]] = {}
    for module, tree in TREES.items():
        if layer_of(module) in ("health", "fixtures"):
            words = {word for text in texts(tree) for word in re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", text)}
            if found := words & known:
                named[module] = found
    assert named == NAMED


def test_findings_are_made_by_checks() -> None:
    made = {
        module
        for module, tree in TREES.items()
        if layer_of(module) in ("health", "fixtures")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    }
    assert made == FINDERS


def texts(tree: ast.Module) -> Iterator[str]:
    """The texts in a module that are no docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize(
    "edges",
    [[("a", "b"), ("b", "a")], [("a", "b"), ("b", "c"), ("c", "a")]],
)
def test_a_circle_is_noticed(edges: list[tuple[str, str]]) -> None:
    assert circle(edges)
