"""``ci/report``: makes one HTML page of the records in a directory, or Allure's report, without pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from health.report.reading import RecordError
from health.sanitize import one_line
from plugins.output.allure_report import AllureError, make_report
from plugins.output.html_page import page, verdicts
from plugins.output.private_files import write_private
from plugins.output.record_files import records_in
from plugins.run.check_catalog import checks_as_far_as_they_load

_NOT_WRITTEN, _NO_RECORD = 3, 4  # exit statuses, as those of a run


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page that is asked for.

    Args:
        arguments: of the command line; those of the process where None.

    Returns:
        The exit status: 0, 3 where the page could not be written, 4 where there is nothing to make it of.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    if (asked.directory is None) == (asked.allure is None):
        parser.error("name DIR, or --allure RESULTS OUT")
    return _page_of_results(*map(Path, asked.allure)) if asked.allure else _page_of_records(asked)


def _page_of_results(results: Path, output: Path) -> int:
    try:
        page = make_report(results, output)
    except AllureError as error:
        return _refuse(f"{error}.", _NO_RECORD)
    except OSError as error:
        return _refuse(f"{error.filename or output} could not be written: {error.strerror}.", _NOT_WRITTEN)
    print(one_line(f"{page}", 1000))
    return 0


def _page_of_records(asked: argparse.Namespace) -> int:
    directory = Path(asked.directory)
    output = Path(asked.output) if asked.output else directory / "report.html"
    try:
        records = records_in(directory)
        checks_as_far_as_they_load()  # they name each other's causes
        write_private(output, page(records))
    except RecordError as error:
        return _refuse(str(error), _NO_RECORD)
    except OSError as error:
        return _refuse(f"{output} could not be written: {error.strerror}. Name a file by --output.", _NOT_WRITTEN)
    print(one_line(f"{output}: {verdicts(records)}", 1000))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="report",
        allow_abbrev=False,
        description="Makes one HTML page of what runs with --report have written. It loads nothing from outside.",
    )
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", help="with report.json, or with directories that have one each"
    )
    parser.add_argument("--output", metavar="FILE", help="default: DIR/report.html, readable by you only")
    parser.add_argument(
        "--allure",
        nargs=2,
        metavar=("RESULTS", "OUT"),
        help="make OUT/index.html by npm's allure, of what --alluredir RESULTS has written, and continue its history",
    )
    parser.error = _usage  # type: ignore[method-assign,assignment]  # argparse ends with 2, which is interrupted here
    return parser


def _usage(message: str) -> None:
    sys.exit(_refuse(f"{message}. Write report DIR [--output FILE], or report --allure RESULTS OUT.", _NO_RECORD))


def _refuse(message: str, status: int) -> int:
    print(one_line(f"report: {message}", 1000), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
