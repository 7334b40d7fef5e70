"""``--phase nightly --history``: compares a run with the nights before it, and keeps it for the next ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from health.nightly.comparison import compare
from health.nightly.night import NightlyRun
from health.report.history_lines import HistoryError, NightlyHistory
from health.report.night import drift_status, nightly_run
from health.words import plural
from plugins.redaction.values import hidden
from plugins.run.options import RUN
from plugins.run.recorder import RECORD
from plugins.run.user_files import from_here

_NIGHTS, _MOST_NIGHTS = 400, 100_000
_URL = re.compile(r"postgres(ql)?://|\$\{\w+\}$", re.IGNORECASE)


class History(Protocol):
    """Where runs are kept."""

    place: str

    def read(self) -> NightlyHistory:
        """Read all of them."""

    def append(self, run: NightlyRun, nights: int) -> None:
        """Keep one more, and drop what is older than the last nights."""


@dataclass
class _Nightly:
    history: History
    nights: int
    header: str
    known: NightlyHistory  # as it was when the run began
    tonight: NightlyRun | None = None  # as it is to be kept


_NIGHTLY = pytest.StashKey[_Nightly]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("migration health")
    group.addoption(
        "--history", metavar="FILE|postgresql://…", help="with --phase nightly: say what is new since the last night"
    )
    group.addoption("--history-nights", metavar="N", help=f"how many nights --history keeps (default: {_NIGHTS})")
    parser.addini("history", "file or table of nightly runs; as the option of the same name")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the history at once: a run that could not be compared, or kept, must not begin."""
    run, given = config.stash[RUN], config.getoption("history")
    nights = _number(config)
    if given and (run.phase != "nightly" or run.migrate):
        raise pytest.UsageError("--history compares nights. Add --phase nightly, or leave it out.")
    if given and run.replay is not None:
        raise pytest.UsageError("--history does not go with --replay, which is no night. Leave one of them out.")
    text = given or config.getini("history")
    if (
        not text
        or run.replay is not None
        or run.phase != "nightly"
        or run.migrate
        or not run.names
        or config.option.collectonly
    ):
        return
    try:
        history = _open(config, text, given=bool(given))
        if hasattr(config, "workerinput"):
            return
        known = history.read()
    except HistoryError as error:
        raise pytest.UsageError(f"--history: {str(error).removeprefix('--history: ')}") from None
    except OSError as error:
        raise pytest.UsageError(
            f"--history: {error.filename}: {error.strerror}. Name a file that can be written to."
        ) from None
    header = f"history: {history.place}, {len(known.runs)} {plural(len(known.runs), 'run')}"
    if known.damaged:
        header += f"; {known.damaged} {plural(known.damaged, 'line')} written by half, passed over"
    config.stash[_NIGHTLY] = _Nightly(history, nights, header, known)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what the exit status follows."""
    nightly = config.stash.get(_NIGHTLY, None)
    if nightly is None:
        return []
    what = "error" if config.stash[RUN].fail_on == "error" else "error or warning"
    return [
        f"exit status: 1 for a new {what}, 0 where every {what} was there before, 10 without an answer",
        nightly.header,
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare the run, and correct its exit status; the recorder has judged it before, the terminal shows it later."""
    config = session.config
    nightly, record = config.stash.get(_NIGHTLY, None), config.stash.get(RECORD, None)
    if nightly is None or record is None or record.exit_status not in (0, 1, 5, 10):
        return  # an interrupted run is no night
    # What was kept of the nights before has no secrets: compared is what is kept.
    tonight = hidden(nightly_run(record))
    run = config.stash[RUN]
    registry = run.registry.entries if run.registry is not None else ()
    compared = compare(_now(nightly).runs, tonight, {*registry, *run.names}, run.fail_on)
    nightly.tonight = compared.run
    environments = tuple(replace(each, drift=compared.drifts.get(each.name)) for each in record.environments)
    session.exitstatus = drift_status(record.exit_status, environments)
    config.stash[RECORD] = replace(record, environments=environments, exit_status=int(session.exitstatus))


def _now(nightly: _Nightly) -> NightlyHistory:
    """The history, read anew: another run may have been kept since this one began."""
    try:
        return nightly.history.read()
    except (OSError, HistoryError):
        return nightly.known  # that it cannot be used any more is told when this run is to be kept


def wanted(config: pytest.Config) -> bool:
    """Whether this run is a night to be kept."""
    nightly = config.stash.get(_NIGHTLY, None)
    return nightly is not None and nightly.tonight is not None


def write(config: pytest.Config, _record: object) -> None:
    """Keep the run.

    Raises:
        OSError: the file cannot be written.
        HistoryError: the table cannot be, or the history is another tool's by now.
    """
    nightly = config.stash[_NIGHTLY]
    assert nightly.tonight is not None  # noqa: S101 - see wanted
    nightly.history.append(nightly.tonight, nightly.nights)


def _open(config: pytest.Config, text: str, *, given: bool) -> History:
    if _URL.match(text):
        from plugins.output.history_table import HistoryTable, resolve

        url = resolve(text)
        for environment in config.stash[RUN].deployed.values():
            own = environment.url_login.url if environment.url_login is not None else None
            if own is not None and (own.place, own.schema) == (url.place, url.schema):
                raise HistoryError(
                    f"{url.place}, schema {url.schema}, is what is judged as {environment.name}: nothing is written "
                    "there. Name another schema, or another database."
                )
        return HistoryTable(url)
    from plugins.output.history_file import HistoryFile

    return HistoryFile(from_here(config, text) if given else config.rootpath / text)


def _number(config: pytest.Config) -> int:
    text = config.getoption("history_nights")
    if text is None:
        return _NIGHTS
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_NIGHTS):
        raise pytest.UsageError(f"--history-nights: {text!r} is no number from 1 to {_MOST_NIGHTS}.")
    return int(text)
