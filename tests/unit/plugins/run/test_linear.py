"""No cost grows with a square: four times as much takes four times as many steps of the interpreter."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from health.finding import Finding, Fix, Place
from health.report.order import related
from health.report.record import FactsOverview, Record, judge_environment
from health.report.results import CheckResult, FindingResult
from health.report.terminal import block
from health.secrets.secret import Searcher
from health.waivers.waivers import Waiver, Waivers
from plugins.output.markdown_summary import summary
from plugins.output.sql_files import sql_file
from plugins.run import check_catalog, check_runner, recorder
from plugins.run.check_catalog import all_checks
from plugins.run.check_report import CheckReport
from plugins.run.fact_fixtures import FACT_SETS
from plugins.run.items import by_target
from plugins.run.options import RUN, Run
from plugins.run.xdist_scheduling import environment_of
from tests.support.written_formats import FORMATS

SMALL, TIMES = 20, 4
FEW = ("waivers-hold", "no-failed-migration")  # of the checks
SLACK = 1.1  # of sorting, and of numbers with one more digit


def steps(work: Callable[[], object]) -> int:
    """Count the bytecode instructions that a piece of work takes."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    gc.disable()  # what others have it call would be counted
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def grows(prepare: Callable[[int], Callable[[], object]]) -> float:
    """Compare the steps of a work of one size with those of one that is larger by TIMES."""
    few, many = prepare(SMALL), prepare(SMALL * TIMES)
    few(), many()  # what is read, compiled or cached at first
    return steps(many) / steps(few)


def test_steps_that_grow_with_a_square_are_seen() -> None:
    def prepare(size: int) -> Callable[[], object]:
        return lambda: [1 for one in range(size) for other in range(size)]

    assert grows(prepare) > TIMES * SLACK


# Findings


def finding(number: int) -> FindingResult:
    """One of several kinds, of which some explain others."""
    code = ("failed-migration", "worker-log-migration-failed", "pending-migration", "schema-object-missing")[number % 4]
    name = f"m{number // 4:04}"
    fixes = [Fix("sql", "Fix it", f"SELECT {number};", undo="SELECT 1;")] if code == "failed-migration" else []
    waiver = Waiver("w", code, "dev", name, "", "", date(2030, 1, 1)) if number % 7 == 0 else None
    found = Finding(code, name, "It is wrong.", {"migration": name}, place=Place(f"/checkout/{name}.sql"))
    return FindingResult.of(found, "error", waiver, fixes, "Why.")


def checks_with(size: int, environment: str = "dev") -> list[CheckResult]:
    def check(name: str, **more: Any) -> CheckResult:
        return CheckResult(name, f"checks/x.py::{name}[{environment}]", severity="error", seconds=0.0, **more)

    findings = tuple(map(finding, range(size)))
    unread = [
        check(f"unread-{number}", outcome="unknown", reason="?", what="?", explained_by=findings[number].key)
        for number in range(size)
    ]
    return [check("all", outcome="failed", findings=findings), *unread]


def related_by(size: int) -> Callable[[], object]:
    findings = [finding(number) for number in range(size)]
    return lambda: related(related(findings))


def shown(size: int) -> Callable[[], object]:
    judged = judge_environment("dev", "before", checks_with(size), frozenset())
    return lambda: list(block(judged, True, lambda text, _: text))


def written(size: int) -> Callable[[], object]:
    judged = judge_environment("dev", "before", checks_with(size), frozenset())
    record = Record("", "", 0.0, 1, (judged,))
    return lambda: (record.to_json(), list(sql_file(judged)), list(summary(record)))


def formatted(size: int) -> Callable[[], object]:
    judged = judge_environment("dev", "before", checks_with(size), frozenset())
    record = Record("", "", 0.0, 1, (judged,))
    return lambda: [form.write(record) for form in FORMATS.values()]


def waived(size: int) -> Callable[[], object]:
    findings = [finding(number) for number in range(size)]
    waivers = Waivers("w", tuple(Waiver("", f.code, "dev", f.subject, "", "", date(2030, 1, 1)) for f in findings))
    found: dict[str, list[str]] = {}
    for each in findings:
        found.setdefault(each.code, []).append(each.subject)
    used = {(each.code, each.subject) for each in findings}
    return lambda: ([waivers.match("dev", each) for each in findings], list(waivers.unused(found, used)))


# Environments


@dataclass(eq=False)
class Item:
    """As much of pytest's item as is asked."""

    callspec: SimpleNamespace
    session: Any


def last_items(size: int) -> Callable[[], object]:
    def work() -> object:
        session = SimpleNamespace(items=[], stash=pytest.Stash())
        for number in range(size * 3):
            session.items.append(Item(SimpleNamespace(params={"facts": f"env{number % size}"}), session))
        return [check_runner._is_last(item) for item in session.items], by_target(session)  # type: ignore[arg-type]

    return work


def scheduled(size: int) -> Callable[[], object]:
    names = frozenset(f"env-{number}" for number in range(size))
    return lambda: [environment_of(f"checks/x.py::test[{name}-1]", names) for name in names]


def run_of(size: int) -> Run:
    names = tuple(f"env{number:04}" for number in range(size))
    waivers = Waivers("w", tuple(Waiver("", "failed-migration", name, "x", "", "", date(2030, 1, 1)) for name in names))
    return Run(None, names, "before", "default", "error", {}, (), waivers)


def recorded(size: int) -> Callable[[], object]:
    """Every environment reports every check, and the run ends."""
    run, stash = run_of(size), pytest.Stash()
    triggered: Any = SimpleNamespace(triggered=None)
    stash[RUN], stash[FACT_SETS] = run, triggered
    manager = SimpleNamespace(hasplugin=lambda _: True, getplugin=lambda _: None)
    option = SimpleNamespace(collectonly=False)
    session: Any = SimpleNamespace(config=SimpleNamespace(stash=stash, pluginmanager=manager, option=option))

    def work() -> object:  # without assertions, whose explanations would be counted
        recorder.pytest_sessionstart(session)
        keeper = recorder.Recorder(session.config)
        for name in run.targets:
            for id_ in FEW:
                result = CheckResult(id_, f"checks/x.py::{id_}[{name}]", "passed", "error", 0.0)
                report: Any = SimpleNamespace(
                    failed=False, health=CheckReport(name, result, FactsOverview({"region": "r"}))
                )
                keeper.pytest_runtest_logreport(report)
            recorder.verdict_of(session.config, name)
        recorder.pytest_sessionfinish(session, 0)
        return stash[recorder.RECORD].environments

    return work


@pytest.mark.usefixtures("few_checks")
def test_what_is_recorded_is_counted_whole() -> None:
    environments: Any = recorded(SMALL)()
    assert [environment.verdict for environment in environments] == ["healthy"] * SMALL
    assert sum(len(environment.findings) for environment in environments) == SMALL


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {id_: check for id_, check in all_checks().items() if id_ in FEW}
    for module in (recorder, check_catalog):
        monkeypatch.setattr(module, "all_checks", lambda: few)


@pytest.mark.usefixtures("few_checks")
@pytest.mark.parametrize("prepare", [related_by, shown, written, formatted, waived, last_items, scheduled, recorded])
def test_steps_grow_no_faster_than_what_there_is(prepare: Callable[[int], Callable[[], object]]) -> None:
    assert grows(prepare) <= TIMES * SLACK


# Secrets

LINE = 'E   + refused: postgresql://ann@host:5432/d?x=%2F … and "that"...\n'


def searching(secrets: int, lines: int) -> Callable[[], object]:
    searcher = Searcher()
    for number in range(secrets):
        searcher.add(f"postgresql://postgres:p{number * 7919:012x}@h{number:03}.amazonaws.com/postgres")
    assert searcher.hide(f"...{7919:012x}@h001.amazonaws.com/postgres") == "...***"
    return lambda: searcher.hide(LINE * lines)


def test_a_text_is_searched_for_many_secrets_as_for_few() -> None:
    assert steps(searching(SMALL * TIMES, 20)) <= steps(searching(SMALL, 20)) * SLACK


def test_the_search_grows_with_the_text() -> None:
    assert steps(searching(SMALL, 20 * TIMES)) <= steps(searching(SMALL, 20)) * TIMES * SLACK


def test_secrets_are_taken_in_one_by_one() -> None:
    def prepare(size: int) -> Callable[[], object]:
        def work() -> None:
            searcher = Searcher()
            for number in range(size):
                searcher.add(f"secret-{number * 7919:012x}")
                searcher.hide("nothing of it is here...")

        return work

    assert grows(prepare) <= TIMES * SLACK


def test_targets_are_made_once() -> None:
    run = run_of(3)
    assert run.targets is run.targets
    assert list(replace(run, names=("a",)).targets) == ["a"]
