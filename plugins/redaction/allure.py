"""Redacts what Allure's plugin writes: it reads exceptions past the reports, and tests give it texts of their own."""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from plugins.redaction.files import scrub
from plugins.redaction.values import hidden


def redact() -> None:
    """Redact results, containers and attachments; to be called before Allure's plugin is configured."""
    # None of what is replaced is an interface of Allure's.
    allure: Any = import_module("allure_commons")
    logger: Any = import_module("allure_commons.logger")
    if hasattr(logger.asdict, "__wrapped__"):
        return
    as_dict, writer = logger.asdict, logger.AllureFileLogger
    attach_data, attach_file = writer.report_attached_data, writer.report_attached_file

    @wraps(as_dict)
    def redacted(*args: Any, **kwargs: Any) -> Any:
        return hidden(as_dict(*args, **kwargs))

    @allure.hookimpl  # type: ignore[untyped-decorator]
    def report_attached_data(self: Any, body: str | bytes, file_name: str) -> None:
        attach_data(self, hidden(body), file_name)

    @allure.hookimpl  # type: ignore[untyped-decorator]
    def report_attached_file(self: Any, source: str, file_name: str) -> None:
        attach_file(self, source, file_name)
        scrub(Path(self._report_dir) / file_name)

    logger.asdict = redacted
    writer.report_attached_data, writer.report_attached_file = report_attached_data, report_attached_file
