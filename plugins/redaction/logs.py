"""Redacts log records as they are made, and keeps libraries quiet that log whole requests and answers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from health.secrets.secret import hide

_TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3", "paramiko", "sshtunnel", "httpx", "httpcore", "psycopg")


class _Records:
    """Makes records in place of another factory."""

    def __init__(self, made: Callable[..., logging.LogRecord]) -> None:
        self.made = made

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.made(*args, **kwargs)
        with suppress(Exception):  # arguments that do not fit are told by logging itself, on a stream
            record.msg, record.args = hide(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            # Formatters take the text that is there.
            record.exc_text = hide("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        if record.stack_info:
            record.stack_info = hide(record.stack_info)
        return record


def redact() -> None:
    """Redact every record from here on."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    made = logging.getLogRecordFactory()
    if not isinstance(made, _Records):
        logging.setLogRecordFactory(_Records(made))


def restore() -> None:
    """Make records as before."""
    made = logging.getLogRecordFactory()
    if isinstance(made, _Records):
        logging.setLogRecordFactory(made.made)
