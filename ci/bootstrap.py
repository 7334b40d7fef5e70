"""Makes `.venv`, installs into it what a run needs, and becomes that run.

Started by `ci/gate`, `ci/report` and `ci/test` under the system's Python, so it uses the standard library alone.
Exit status 4 is a failed set-up and 130 an interrupted one; any other status is the run's own.
"""
# ruff: noqa: S603, S606 - the programs are this project's own Python, and no shell reads their arguments

import fcntl
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
READY = VENV / ".ready"  # written last, removed first: without it .venv is half-made
BASE = str(getattr(sys, "_base_executable", sys.executable))  # .venv cannot be made anew by its own Python
VENV_REMEDY = f"on Debian or Ubuntu: apt install python3.{sys.version_info.minor}-venv"
# What each is once .venv is complete; all also run as `python -m` where the requirements are installed by hand.
MODULES = {"gate": "migration_health", "report": "plugins.commands.report_page", "test": "tests", "notify": "ci.notify"}
BARE = ("notify",)  # these need the standard library alone, and so no .venv
SIZES = {  # in MB, measured on Linux with Python 3.11
    "test": "about 100 MB to fetch, 400 MB there, two minutes",
    "gate": "about 70 MB to fetch, 290 MB there, one minute",
}


class SetupError(Exception):
    """A run cannot start; the message says what was found and what to do."""


def extras_for(command: str, arguments: Sequence[str]) -> list[str]:
    """Names the extras of pyproject.toml that `ci/<command> <arguments>` needs beside its dependencies."""
    if command == "test":
        return ["report", "test"]
    return ["report"] * any(argument.startswith("--alluredir") for argument in arguments)


def environment(**added: str) -> dict[str, str]:
    """The user's environment without settings that belong to another Python, and with `added`."""
    foreign = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in foreign} | added


def say(command: str, message: str) -> None:
    """Tells a person something on stderr; stdout stays the run's own."""
    print(f"ci/{command}: {message}", file=sys.stderr, flush=True)


def ingredients() -> str:
    """Everything that decides what is installed; .venv is made anew when any of it changes."""
    # The section as text: reading TOML takes longer than all else that a warm start does.
    section = (
        (ROOT / "pyproject.toml").read_text().partition("\ndependencies = ")[2].partition("\n[project.scripts]")[0]
    )
    constraints = (ROOT / "constraints.txt").read_text()
    machine = [*sys.version_info[:2], sys.platform, os.uname().machine]
    return repr([machine, section, constraints])


def installed(wanted: str) -> list[str] | None:
    """The extras that .venv holds, or None where it must be made anew."""
    try:
        extras, _, found = READY.read_text().partition("\n")
    except OSError:
        return None
    # The link dangles after the Python that it names is removed.
    return extras.split() if found == wanted and os.access(PYTHON, os.X_OK) else None


def mark(text: str) -> None:
    """Declares .venv complete, at one stroke for those who read the mark without the lock."""
    new = READY.with_suffix(".new")
    new.write_text(text)
    new.replace(READY)


def prepare(command: str, extras: Sequence[str]) -> None:
    """Brings .venv up to date with `extras`; takes no lock and calls no pip where it already is."""
    wanted = ingredients()
    held = installed(wanted)
    if held is not None and set(extras) <= set(held):
        return
    with (ROOT / ".venv.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(command, "waiting for another run that is installing into .venv")
            fcntl.flock(lock, fcntl.LOCK_EX)
        held = installed(wanted)
        missing = [name for name in extras if name not in (held or ())]
        if held is not None and not missing:
            return
        before = None if held is None else READY.read_text()
        # Debian's python3 comes without ensurepip, and its venv notices only after it has made half of one.
        if before is None and not (find_spec("venv") and find_spec("ensurepip")):
            raise SetupError(f"{BASE} cannot make .venv, as it lacks the module venv or ensurepip; {VENV_REMEDY}")
        size = f": {SIZES.get(command, SIZES['gate'])}" if before is None else ""
        say(command, f"installing {', '.join(missing) or 'what it needs'} into {VENV}, once{size}")
        READY.unlink(missing_ok=True)
        if before is None:
            make_venv(lock.fileno())
        names = sorted({*missing, *(held or ())})
        try:
            pip_install(names, lock.fileno())
        except SetupError:
            if before is not None:  # pip undoes a failed install: what stood before still stands
                mark(before)
            raise
        mark(f"{' '.join(names)}\n{wanted}")


def make_venv(lock: int) -> None:
    """Makes .venv anew, or leaves none."""
    if VENV.is_symlink():  # what it leads to is another's
        raise SetupError(f"{VENV} is a link: remove it, then .venv is made here")
    status, output = call([BASE, "-m", "venv", "--clear", str(VENV)], lock)
    if status:
        import shutil

        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(f"{BASE} cannot make .venv: {output[-1]}; {VENV_REMEDY}")


def pip_install(extras: Sequence[str], lock: int) -> None:
    """Installs at the versions of constraints.txt; wheels only, so no package's code runs meanwhile."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    more = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(line for extra in extras for line in more[extra])]
    options = ["--quiet", "--no-input", "--only-binary=:all:", "-c", str(ROOT / "constraints.txt")]
    status, output = call([PYTHON, "-m", "pip", "install", *options, *requirements], lock)
    if status:
        tail = "".join(f"  {line}\n" for line in output[-8:])
        remedy = "check that this machine reaches its package registry (pip config list), then run again"
        raise SetupError(f"pip could not install the packages, its last lines were\n{tail}{remedy}")


def call(command: Sequence[str], lock: int) -> tuple[int, list[str]]:
    """Runs a program silently; returns its status and the lines that it printed."""
    import subprocess

    settings = environment(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
    out, err = subprocess.PIPE, subprocess.STDOUT
    # The child holds the lock as well, since it may outlive this process where that is killed.
    done = subprocess.run(command, env=settings, pass_fds=[lock], stdout=out, stderr=err, text=True, check=False)
    return done.returncode, [line for line in done.stdout.splitlines() if line.strip()] or ["no output"]


def main(command: str, arguments: Sequence[str]) -> None:
    """Prepares .venv, then becomes `ci/<command> <arguments>`."""
    try:
        python = BASE if command in BARE else PYTHON
        if command not in BARE:
            prepare(command, extras_for(command, arguments))
        # -P and PYTHONPATH: modules come from the project, never from the directory the user stands in.
        os.execve(python, [python, "-P", "-m", MODULES[command], *arguments], environment(PYTHONPATH=str(ROOT)))
    except PermissionError as error:
        say(command, f"cannot write {error.filename}: use a clone of your own, which you may write to")
        sys.exit(4)
    except (SetupError, OSError) as error:
        say(command, str(error))
        sys.exit(4)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
