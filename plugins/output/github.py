"""In a job of GitHub Actions: annotations, and the job's summary."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from health.report.cut import cut
from health.report.record import Record, Verdict
from health.report.workflow_commands import workflow_commands
from plugins.output.markdown_summary import summary
from plugins.output.result_files import checkout

_LARGEST = 1024 * 1024  # bytes that GitHub takes of a step's summary
_WORST_FIRST: tuple[Verdict, ...] = ("blocked", "unknown", "partial", "healthy")


def annotate(config: pytest.Config, record: Record) -> None:
    """Print the annotations, each on a line of its own, as the runner wants it."""
    for line in workflow_commands(record, checkout(config)):
        print(line, flush=True)


def summarize(config: pytest.Config, record: Record) -> None:
    """Append to the file of ``GITHUB_STEP_SUMMARY``, the worst environments first.

    Raises:
        OSError: it could not be written.
        ValueError: earlier commands of the step have filled it.
    """
    path = Path(os.environ["GITHUB_STEP_SUMMARY"])
    ordered = sorted(record.environments, key=lambda each: _WORST_FIRST.index(each.verdict))
    with path.open("ab") as file:
        room = _LARGEST - 1 - file.tell()
        text = cut(summary(replace(record, environments=tuple(ordered))), room)
        file.write(text.encode(errors="replace"))
