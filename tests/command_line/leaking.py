"""Tests of a careless user's, each of which gives the environment's secrets away; test_redaction.py runs them."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from fixtures.aws.database_secret import SecretRead
from fixtures.aws.functions import FunctionRead
from fixtures.aws.resources import Aws
from health.check import check
from health.config.environment import Environment
from health.finding import Finding, Fix
from health.secrets.secret import Secret
from health.tunnel.connection import Preflight
from plugins.fixes import fixes
from plugins.output import writers

if "LEAKING_REPORTS" in os.environ:  # to prove that the reports are searched well
    vars(writers)["hidden"] = lambda value: value

Texts = dict[str, str]


@pytest.fixture
def texts(
    environment: Environment,
    secret_read: SecretRead,
    functions_read: Mapping[str, FunctionRead],
    admin_key: Secret,
    preflight: Preflight,  # which reads the SSH key
) -> Texts:
    return {
        "password": secret_read.password.reveal(),
        "admin key": admin_key.reveal(),
        "DATABASE_URL": (functions_read["auth"].variables or {})["DATABASE_URL"].reveal(),
        "SSH key": environment.ssh_key.read_text(),
        "AWS key": os.environ["AWS_SECRET_ACCESS_KEY"],
        "session token": os.environ["AWS_SESSION_TOKEN"],
    }


def spellings(text: str) -> list[str]:
    return [
        text,
        quote(text),
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text),
        json.dumps(json.dumps({"it": text})),
        repr(text),
        escape(text),
        *(base64.b64encode(b"abc"[:shift] + text.encode()).decode() for shift in range(3)),
        base64.urlsafe_b64encode(text.encode()).decode(),
    ]


def test_leaks_by_an_assertion(texts: Texts) -> None:
    password = texts["password"]
    assert {"host": "h", "all": texts, "password": password} == {"password": "another"}


@pytest.mark.parametrize("name", ["password", "DATABASE_URL", "SSH key", "session token"])
def test_leaks_by_a_comparison(texts: Texts, name: str) -> None:
    """Pytest leaves out what both sides begin with."""
    text = texts[name]
    assert text == text[:-9] + "different"


@pytest.mark.parametrize("length", [40, 100, 105, 110, 115, 120])
def test_leaks_by_a_cut_representation(texts: Texts, length: int) -> None:
    """Pytest shows the ends of long values, here with an end of the secret that was cut."""
    held = [["x" * length + texts["password"] + "y" * 300], ["x" * 300 + texts["password"] + "y" * length]]
    raise_with(held)


def raise_with(held: list[Any]) -> None:
    assert not held


def test_leaks_by_locals(texts: Texts) -> None:
    spelt = {name: spellings(text) for name, text in texts.items()}
    raise ValueError(f"it went wrong: {texts['DATABASE_URL']}: {len(spelt)}")


def test_leaks_by_a_cause(texts: Texts) -> None:
    try:
        raise KeyError(texts["admin key"])
    except KeyError as error:
        raise RuntimeError("\n".join(texts.values())) from error


def test_leaks_by_printing(texts: Texts) -> None:
    for text in texts.values():
        for spelt in spellings(text):
            print(spelt)
            print(spelt, file=sys.stderr)
    pytest.fail("to show it")


def test_leaks_by_a_child(texts: Texts, request: pytest.FixtureRequest) -> None:
    if request.config.option.capture == "fd":  # else it writes past pytest and Python
        subprocess.run([sys.executable, "-Sc", "import sys; print(sys.argv[1])", texts["password"]], check=True)
    subprocess.run([sys.executable, "-Sc", "raise SystemExit(1)", *texts.values()], check=True)


def test_leaks_by_logging(texts: Texts, aws: Aws, environment: Environment) -> None:
    logger = logging.getLogger("careless")
    for text in texts.values():
        for spelt in spellings(text):
            logger.debug("read %s", spelt)
    try:
        raise KeyError(texts["admin key"])
    except KeyError:
        logger.exception("with %(password)s", texts, stack_info=True)
    assert not aws.call(
        "secretsmanager", "get_secret_value", member="Name", SecretId=environment.secret
    )  # botocore logs its answer


def test_leaks_by_warning(texts: Texts) -> None:
    for text in texts.values():
        warnings.warn(text, stacklevel=1)


def test_leaks_by_properties(
    texts: Texts, record_property: Any, record_xml_attribute: Any, record_testsuite_property: Any
) -> None:
    for name, text in texts.items():
        record_property(name, text)
        record_xml_attribute(name.replace(" ", "-"), text)
    record_testsuite_property("all", json.dumps(texts))


def test_leaks_by_a_reason_to_skip(texts: Texts) -> None:
    pytest.skip(texts["password"])


def test_leaks_by_a_reason_to_fail(texts: Texts) -> None:
    pytest.xfail(texts["password"])


def test_leaks_by_a_refused_login(texts: Texts) -> None:
    import psycopg

    psycopg.connect(host="127.0.0.1", port=1, user="ann", password=texts["password"], connect_timeout=2)


def test_leaks_by_allure(texts: Texts, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if not request.config.pluginmanager.hasplugin("allure_listener"):
        return
    allure: Any = import_module("allure")
    for name, text in texts.items():
        allure.dynamic.title(text)
        allure.dynamic.description(text)
        allure.dynamic.parameter(name, text)
        allure.dynamic.label(name, text)
        with allure.step(text):
            allure.attach(text, name)
        allure.attach(json.dumps(text).encode(), name)
        file = tmp_path / "attached"
        file.write_text(text)
        allure.attach.file(file, name)


@pytest.fixture
def careless(texts: Texts) -> Iterator[None]:
    yield
    raise RuntimeError(texts["password"])


def test_leaks_when_torn_down(careless: None) -> None:
    pass


@check(finds={"a-leak": "error"})
def test_leaks_by_a_finding(secret_read: SecretRead) -> Iterator[Finding]:
    """No finding tells a secret.

    This one does, and with it its fix.

    It is not mended.
    """
    password = secret_read.password.reveal()
    yield Finding("a-leak", password, f"It is {password}.", {"spelt": tuple(spellings(password))})


@fixes("a-leak")
def _leak(finding: Finding) -> Iterator[Fix]:
    """Tell it again."""
    literal = finding.subject.replace("'", "''")
    yield Fix("sql", "Change it", f"ALTER ROLE ann PASSWORD '{literal}';\n", undo=f"-- {json.dumps(literal)}")


class _Defect:
    """A plugin with a defect."""

    def __init__(self, text: str) -> None:
        self.text = text

    def pytest_runtest_logfinish(self) -> None:
        raise RuntimeError(self.text)


def test_internal_error(texts: Texts, request: pytest.FixtureRequest) -> None:
    request.config.pluginmanager.register(_Defect("\n".join(texts.values())))


def test_crash(texts: Texts) -> None:
    print(texts, file=sys.stderr, flush=True)
    os._exit(1)
