"""Makes `.venv`, installs into it what a run needs, and becomes that run.

Started by `ci/gate` and `ci/test` under the system's Python, so it uses the standard library alone.
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
# The suite's options that take a value (plugins/run/options.py, plugins/commands/ and tests/conftest.py).
VALUED = {
    *("--env", "--environments", "--app", "--migrations", "--tunnel-script", "--phase", "--fail-on", "--fault"),
    *(
        "--case",
        "--waivers",
        "--report",
        "--explain",
        "--format",
        "--histories",
        "--confirm",
        "--clone",
        "--postgres",
        "--fetch-postgres",
        "--rows",
        "--editing",
    ),
}
COUNTED = ("-o", "enable_assertion_pass_hook=true")  # tests/support/assertions.py counts assertions
LINTS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))


class SetupError(Exception):
    """A run cannot start; the message says what was found and what to do."""


def extras_for(command: str, arguments: Sequence[str]) -> list[str]:
    """Names the extras of pyproject.toml that `ci/<command> <arguments>` needs, and no more."""
    if command == "test":
        return ["gate", "clone", "review", "sandbox", "report", "test"]
    options = [argument.partition("=") for argument in joined(arguments)]
    environments = [value.split(",") for option, _, value in options if option == "--env"]
    local = any(name.strip() == "local" for names in environments for name in names)
    sandbox = local or any(option in {"--case", "--fault", "--list-faults", "--postgres"} for option, _, _ in options)
    report = any(argument.startswith("--alluredir") for argument in arguments)
    return ["gate", "clone", "review", *["sandbox"] * sandbox, *["report"] * report]


def joined(arguments: Sequence[str]) -> list[str]:
    """Writes `--app DIR` as `--app=DIR`: pytest would take a directory that stands alone for a place of tests."""
    result: list[str] = []
    for argument in arguments:
        if result and result[-1] in VALUED:
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result


def pytest_arguments(command: str, arguments: Sequence[str]) -> list[str]:
    """Completes pytest's arguments; paths among them keep the meaning they have where the user stands."""
    folder = ROOT / ("tests" if command == "test" else "checks")
    completed = [from_root(argument) for argument in joined(arguments)]
    # A value of pytest's own options can be a path too, so only what is surely a test counts as one.
    paths = [argument.partition("::")[0] for argument in completed if argument[:1] not in {"", "-"}]
    named = any(path.endswith(".py") or Path(path).resolve().is_relative_to(folder) for path in paths)
    return ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT), *([] if named else [str(folder)]), *completed]


def from_root(argument: str) -> str:
    """A test as reports name it, `checks/test_x.py::test_y[env]`, is meant from the root if it is not found here."""
    path = argument.partition("::")[0]
    below_root = path.endswith(".py") and not Path(path).exists() and (ROOT / path).exists()
    return str(ROOT / argument) if below_root else argument


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
    section = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    constraints = (ROOT / "constraints.txt").read_text()
    machine = [*sys.version_info[:2], sys.platform, os.uname().machine]
    return repr([machine, section.partition("\n[")[0], constraints])


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
    if set(extras) <= set(installed(wanted) or ()):
        return
    with (ROOT / ".venv.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(command, "waiting for another run that is installing into .venv")
            fcntl.flock(lock, fcntl.LOCK_EX)
        held = installed(wanted)
        missing = [name for name in extras if name not in (held or ())]
        if not missing:
            return
        before = None if held is None else READY.read_text()
        # Debian's python3 comes without ensurepip, and its venv notices only after it has made half of one.
        if before is None and not (find_spec("venv") and find_spec("ensurepip")):
            raise SetupError(f"{BASE} cannot make .venv, as it lacks the module venv or ensurepip; {VENV_REMEDY}")
        say(command, f"installing {', '.join(missing)} into .venv (once)")
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
    requirements = [line for extra in extras for line in project["optional-dependencies"][extra]]
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


def lint(command: str) -> None:
    """Runs the linters in the project's root, and ends with the status of the first that fails."""
    import subprocess

    for arguments in LINTS:
        status = subprocess.run([PYTHON, "-m", *arguments], cwd=ROOT, env=environment(), check=False).returncode
        if status:
            say(command, f"stopped, as this failed: {' '.join(arguments)}")
            sys.exit(status)


def main(command: str, arguments: Sequence[str]) -> None:
    """Prepares .venv, then becomes `ci/<command> <arguments>`."""
    try:
        prepare(command, extras_for(command, arguments))
        if command == "test":
            lint(command)
        # -P and PYTHONPATH: modules come from the project, never from the directory the user stands in.
        counted = COUNTED if command == "test" else ()
        run = [PYTHON, "-P", "-m", "pytest", *counted, *pytest_arguments(command, arguments)]
        os.execve(PYTHON, run, environment(PYTHONPATH=str(ROOT)))
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
