"""Nothing leaks: every known secret is put out of all that a run writes, whichever plugin or test writes it.

Reports are redacted as they are made, before any other plugin reads them, and again where they leave a worker of
``-n``, as only that process knows its secrets. Streams, log records, warnings and files are redacted where they are
written, and the files of ``--junitxml`` and ``--alluredir`` once more at the end.

Out of reach is what a process writes past Python: with ``-s``, a child's own output. The words that reports are made
of stay, also where a password is one of them; the check ``secrets-can-be-hidden`` says which.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from health.secrets.secret import hide, keep_words
from plugins.redaction import allure, logs, streams, values, workers
from plugins.redaction.core_dumps import forbid_core_dumps
from plugins.redaction.files import scrub_new
from plugins.redaction.vocabulary import Vocabulary

_STARTED = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Redact what is written from here on."""
    if getattr(config.option, "pastebin", None):
        raise pytest.UsageError("--pastebin: it would publish the output of a run. Leave it out.")
    config.stash[_STARTED] = time.time()
    keep_words(Vocabulary())
    forbid_core_dumps()
    streams.redact_standard()
    logs.redact()
    workers.redact(config)
    if getattr(config.option, "allure_report_dir", None):
        allure.redact()
    # What --debug writes: the writer is no part of pytest's API.
    if (write := getattr(config.trace.root, "_writer", None)) is not None:
        config.trace.root.setwriter(lambda text: write(hide(text)))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Redact what the terminal shows, should it not be standard output."""
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        streams.redact(reporter._tw._file)  # noqa: SLF001 - pytest gives no other way to it


# Innermost but for plugins.run.check_runner, which is registered later: Allure's and JUnit's plugins see no secret.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact a test's report."""
    return values.redact_report((yield))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Redact what wrappers further out have put on it, such as why a failure was expected."""
    values.redact_report(report)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Redact what could not be collected, and why."""
    return values.redact_report((yield))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Redact a report on its way to another process, with the node ids that pytest itself needs as they are."""
    return values.hidden((yield))


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: object) -> None:
    """Redact a defect of pytest's, or of a plugin's, before anybody tells of it."""
    values.redact_representation(excrepr)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Redact the files that others have written: the last line, for names of tests and what is told past reports."""
    started = config.stash.get(_STARTED, None)
    if started is not None:
        for option in ("xmlpath", "allure_report_dir", "log_file"):
            if path := getattr(config.option, option, None):
                scrub_new(Path(config.invocation_params.dir, path), started)
    logs.restore()
