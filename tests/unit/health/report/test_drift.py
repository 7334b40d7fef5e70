"""What a person sees of a comparison, as snapshots; ``UPDATE_SNAPSHOTS=1`` writes them anew."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from health.nightly.drift import Drift, DriftFinding, Point
from health.nightly.svg import trend_svg
from health.report.drift import drift_lines, drift_markdown
from health.report.record import EnvironmentResult, judge_environment
from health.report.results import CheckResult
from tests.support.nights import CHECKS, Nights, kept, night
from tests.support.paths import DATA

SNAPSHOTS = DATA / "snapshots"
HOSTILE = "evil\x1b[31m\u202e<script>`rm`|\n::error:: @channel ##vso[x] ]]>"


def environment(drift: Drift, *outcomes: str) -> EnvironmentResult:
    checks = [CheckResult(str(at), str(at), each, "error", 0.0) for at, each in enumerate(outcomes)]  # type: ignore[arg-type]
    return replace(judge_environment("prod", "nightly", checks, frozenset()), drift=drift)


def standing() -> EnvironmentResult:
    nights = Nights("prod")
    seen = {"endpoint": "prod-1.rds", "server version": "15.4"}
    nights.run(night(0, ["failed:m1", kept("drift:User", "warning")], observed=seen, applied=3, last=("m0",)))
    nights.run(night(1, ["failed:m1"], observed=seen, applied=3, last=("m0",)))
    nights.run(night(3, ["failed:m1"], unjudged=["drift"]))
    now = night(4, ["failed:m1", kept("rows:T", "warning", 4)], observed={**seen, "server version": "15.5"}, applied=3)
    return environment(nights.run(now).drifts["prod"], "failed", "warned")


def blind() -> EnvironmentResult:
    nights = Nights("prod")
    nights.run(night(0, ["failed:m1", "drift:User"]))
    nights.run(night(1, [], unjudged=CHECKS))
    return environment(nights.run(night(2, [], unjudged=CHECKS)).drifts["prod"], "unknown", "unknown")


def first() -> EnvironmentResult:
    nights = Nights("staging")
    nights.run(night(0, [f"failed:m{number:02}" for number in range(13)], "old"))
    found = [f"failed:m{number:02}" for number in range(13)]
    return environment(nights.run(night(1, found, "staging")).drifts["staging"], "failed")


def hostile() -> EnvironmentResult:
    finding = DriftFinding("code", HOSTILE, "error", HOSTILE * 2, "2026-01-01T00:00:00+00:00", 3)
    drift = Drift("2026-01-01T00:00:00+00:00", new=(finding,), gone=(finding,), unjudged=(HOSTILE,))
    return environment(replace(drift, trend=(Point("2026-01-01", "blocked", 1),), renamed_from=HOSTILE), "failed")


MADE = {"standing": standing, "blind": blind, "first": first, "hostile": hostile}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("kind", ["txt", "md"])
def test_snapshots(name: str, kind: str) -> None:
    made = MADE[name]()
    lines = drift_lines(made, 99) if kind == "txt" else drift_markdown(made)
    text, file = "\n".join(lines) + "\n", SNAPSHOTS / f"drift-{name}.{kind}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert text == file.read_text()


def test_without_a_history_nothing_is_said() -> None:
    made = replace(blind(), drift=None)
    assert not [*drift_lines(made), *drift_markdown(made)]
    assert "drift" not in made.to_json()


@pytest.mark.parametrize("name", MADE)
def test_the_picture_is_whole_and_refers_to_nothing(name: str) -> None:
    drift = MADE[name]().drift
    assert drift is not None
    svg = trend_svg(drift.trend, HOSTILE)
    root = ET.fromstring(svg)
    bars = [group.findtext("{http://www.w3.org/2000/svg}title") for group in root.iter("{http://www.w3.org/2000/svg}g")]
    assert len(bars) == len(drift.trend)
    assert not {word for word in ("href", "url(", "<script", "@import", "onload") if word in svg}
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "title",
        "style",
        "line",
        "text",
        "g",
        "rect",
    }


def test_a_picture_of_no_night() -> None:
    assert ET.fromstring(trend_svg(())).tag.endswith("svg")
