"""A gate run in a fork of a process that has imported pytest, the plugins and the clients.

It is what ``python -m pytest`` is, but for the start of Python: its own arguments, directory, variables, descriptors
and exit status; modules are as they are after their import, and assertions in plugins are rewritten as pytest does.
"""

from __future__ import annotations

import atexit
import json
import os
import pkgutil
import runpy
import sys
import tempfile
import threading
import time
import traceback
from contextlib import ExitStack
from importlib import import_module, metadata

# What runs import when they first need it; not moto, which no run has.
_LATER = (
    "allure", "boto3.s3.inject", "botocore.client", "botocore.parsers", "httpcore", "httpx", "hypothesis",
    "packaging.version", "paramiko", "psycopg", "psycopg_binary", "sqlparse", "sshtunnel", "xml.etree.ElementTree",
)  # fmt: skip


def load(_: ExitStack) -> None:
    """Import what a run needs, and what pytest would rewrite through pytest's own importer."""
    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    import conftest

    config = get_config()
    hook = install_importhook(config)
    config._mark_plugins_for_rewrite(hook, disable_autoload=False)
    hook.mark_rewrite(*conftest.pytest_plugins)
    installed = [entry.module for entry in metadata.entry_points(group="pytest11") if entry.name != "anyio"]
    for name in (*installed, *conftest.pytest_plugins, *_LATER):
        import_module(name)
    for package in ("health", "fixtures", "plugins"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    config._ensure_unconfigure()  # takes the importer away
    del sys.modules["conftest"]
    assert threading.active_count() == 1


def become(_: bytes, descriptors: list[int]) -> None:
    """Answer for a run; never returns."""
    request, output, errors, answer = descriptors
    if (pid := os.fork()) == 0:
        os.close(answer)
        _run(request, output, errors)
    for descriptor in (request, output, errors):
        os.close(descriptor)
    os.write(answer, b"%d\n" % pid)
    ended = os.waitpid(pid, 0)[1]
    os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _run(request: int, output: int, errors: int) -> None:
    """Be ``python -m pytest``."""
    status = 1
    try:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.close(output)
        os.close(errors)
        with os.fdopen(request) as file:
            asked = json.load(file)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        time.tzset()
        tempfile.tempdir = None
        sys.path[0] = asked["cwd"]
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        sys.argv = ["-m", *asked["words"]]
        try:
            runpy.run_module("pytest", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            status = int(end.code or 0)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - as Python's own end
        traceback.print_exc()
    finally:
        os._exit(status)
