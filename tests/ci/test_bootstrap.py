"""Starting a run: real processes over a small project whose .venv holds a stand-in for Python."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci import bootstrap
from tests.support.load import patience

RUN_STATUS = 7  # the stand-in's, where it is called as pytest
SETUP_FAILED = 4
INTERRUPTED = 130

STAND_IN = """#!/bin/sh
echo "$*" >>"$0.calls"
case "$*" in
    "-m pip "*) sleep "${PIP_SECONDS:-0}"; echo "No matching distribution"; exit "${PIP_STATUS:-0}" ;;
    "-P -m "*) printf '<%s>' "PYTHONPATH=$PYTHONPATH" "$@"; exit 7 ;;
esac
"""

PYPROJECT = """
[project]
name = "small"
dependencies = ["one", "two"]

[project.optional-dependencies]
report = ["three"]
test = ["four"]

[project.scripts]
small = "small:main"

[tool.ruff]
line-length = 110
"""


@dataclass(frozen=True)
class Project:
    """A copy of ci/ with requirements of its own."""

    root: Path

    @property
    def python(self) -> Path:
        """The stand-in."""
        return self.root / ".venv" / "bin" / "python"

    @property
    def ready(self) -> Path:
        """The mark of a complete .venv."""
        return self.root / ".venv" / ".ready"

    @property
    def calls(self) -> list[str]:
        """What the stand-in was called with so far."""
        calls = self.python.with_name("python.calls")
        return calls.read_text().splitlines() if calls.exists() else []

    def mark(self, *extras: str) -> None:
        """Declares that `extras` are installed."""
        self.ready.write_text(f"{' '.join(extras)}\n{bootstrap.ingredients()}")

    def start(self, command: str, *arguments: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        """Starts `ci/<command>` in a process group of its own, as a shell does."""
        return subprocess.Popen(
            [self.root / "ci" / command, *arguments],
            cwd=cwd or self.root,
            env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def run(
        self, command: str, *arguments: str, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs `ci/<command>` to its end."""
        process = self.start(command, *arguments, cwd=cwd, **env)
        out, err = process.communicate(timeout=patience(20))
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project under a path with a space, whose .venv is there and not yet marked complete."""
    root = tmp_path / "a project"
    shutil.copytree(Path(bootstrap.__file__).parent, root / "ci", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "constraints.txt").write_text("one==1\n")
    project = Project(root)
    write_program(project.python, STAND_IN)
    monkeypatch.setattr(bootstrap, "ROOT", root)
    monkeypatch.setattr(bootstrap, "VENV", root / ".venv")
    monkeypatch.setattr(bootstrap, "READY", project.ready)
    monkeypatch.setattr(bootstrap, "PYTHON", str(project.python))
    return project


def write_program(path: Path, text: str) -> Path:
    """Writes an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("command", "arguments", "extras"),
    [
        ("gate", [], []),
        ("gate", ["--env=local"], []),
        ("gate", ["--alluredir=out"], ["report"]),
        ("gate", ["--alluredir", "out", "--env=local"], ["report"]),
        ("test", ["-q"], ["report", "test"]),
    ],
)
def test_a_run_needs_few_extras(command: str, arguments: list[str], extras: list[str]) -> None:
    assert bootstrap.extras_for(command, arguments) == extras


@pytest.mark.parametrize(
    ("command", "module"), [("gate", "migration_health"), ("report", "plugins.commands.report_page"), ("test", "tests")]
)
def test_a_warm_start_only_becomes_the_run(project: Project, command: str, module: str) -> None:
    project.mark("report", "test")
    run = project.run(command, "-k", "a b", "--app", "../app")
    assert run.stdout == f"<PYTHONPATH={project.root}><-P><-m><{module}><-k><a b><--app><../app>"
    assert (run.returncode, run.stderr) == (RUN_STATUS, "")
    assert len(project.calls) == 1


def test_settings_of_another_python_do_not_reach_the_run(project: Project) -> None:
    project.mark()
    run = project.run("gate", PYTHONHOME="/nowhere", PYTHONPATH="/nowhere", VIRTUAL_ENV="/nowhere")
    assert run.stdout.startswith(f"<PYTHONPATH={project.root}><-P>")
    assert (run.returncode, run.stderr) == (RUN_STATUS, "")


def test_a_missing_extra_is_installed_once(project: Project) -> None:
    project.mark()
    first = project.run("gate", "--alluredir=out")
    second = project.run("gate", "--alluredir=out")
    assert first.stderr == f"ci/gate: installing report into {project.root}/.venv, once\n"
    assert (second.stderr, second.returncode) == ("", RUN_STATUS)
    (pip,) = [call for call in project.calls if "pip" in call]
    assert pip.endswith(f"-c {project.root}/constraints.txt one two three")


@pytest.mark.parametrize(
    ("file", "old", "new", "anew"),
    [
        ("constraints.txt", "one==1", "one==2", True),
        ("pyproject.toml", '"four"', '"four", "more"', True),
        ("pyproject.toml", "line-length = 110", "line-length = 100", False),
    ],
)
def test_changed_requirements_make_the_environment_anew(
    project: Project, file: str, old: str, new: str, *, anew: bool
) -> None:
    project.mark()
    path = project.root / file
    path.write_text(path.read_text().replace(old, new))
    assert bootstrap.installed(bootstrap.ingredients()) == (None if anew else [])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda project: project.ready.unlink(), id="half-made"),
        pytest.param(lambda project: project.ready.write_text("[]"), id="unreadable mark"),
        pytest.param(lambda project: project.python.unlink(), id="Python removed"),
    ],
)
def test_a_damaged_environment_is_made_anew(project: Project, damage: Callable[[Project], object]) -> None:
    project.mark()
    damage(project)
    assert bootstrap.installed(bootstrap.ingredients()) is None


def test_a_failed_install_shows_what_pip_said_and_keeps_what_stood(project: Project) -> None:
    project.mark()
    failed = project.run("gate", "--alluredir=out", PIP_STATUS="1")
    assert failed.returncode == SETUP_FAILED
    assert failed.stderr.splitlines() == [
        f"ci/gate: installing report into {project.root}/.venv, once",
        "ci/gate: pip could not install the packages, its last lines were",
        "  No matching distribution",
        "check that this machine reaches its package registry (pip config list), then run again",
    ]
    assert project.run("gate").returncode == RUN_STATUS


def test_two_runs_at_once_install_once(project: Project) -> None:
    project.mark()
    runs = [project.start("gate", "--alluredir=out", PIP_SECONDS="0.3") for _ in range(2)]
    said = sorted(run.communicate(timeout=patience(20))[1] for run in runs)
    assert said == [
        f"ci/gate: installing report into {project.root}/.venv, once\n",
        "ci/gate: waiting for another run that is installing into .venv\n",
    ]
    assert [run.returncode for run in runs] == [RUN_STATUS, RUN_STATUS]
    assert sum("pip" in call for call in project.calls) == 1


def test_an_interrupted_install_leaves_no_mark_and_no_traceback(project: Project) -> None:
    project.mark()
    run = project.start("gate", "--alluredir=out", PIP_SECONDS="10")
    deadline = time.monotonic() + patience(10)
    while not project.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=patience(20))
    begun = f"ci/gate: installing report into {project.root}/.venv, once\n"
    assert (run.returncode, said) == (INTERRUPTED, begun)
    assert not project.ready.exists()


@pytest.mark.parametrize(
    ("command", "size"),
    [("gate", "about 70 MB to fetch, 290 MB there"), ("test", "about 100 MB to fetch, 400 MB there")],
)
def test_the_first_install_says_how_much_it_is_and_where(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, size: str
) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda _: None)  # the stand-in is there
    bootstrap.prepare(command, [])
    said = capsys.readouterr().err
    assert said.startswith(f"ci/{command}: installing what it needs into {project.root}/.venv, once: {size}")
    assert bootstrap.installed(bootstrap.ingredients()) == []


def test_a_python_without_ensurepip_says_what_to_install(project: Project, tmp_path: Path) -> None:
    """A standard library without ensurepip, as Debian's python3 has it until python3-venv is installed."""
    shutil.rmtree(project.python.parent.parent)
    stdlib = Path(sysconfig.get_path("stdlib"))
    copy = tmp_path / "home" / "lib" / stdlib.name
    copy.mkdir(parents=True)
    for entry in stdlib.iterdir():
        if entry.name != "ensurepip":
            (copy / entry.name).symlink_to(entry)
    python = write_program(
        tmp_path / "python", f'#!/bin/sh\nPYTHONHOME="{tmp_path}/home" exec "{bootstrap.BASE}" "$@"\n'
    )
    run = project.run("gate", PYTHON=str(python))
    assert run.returncode == SETUP_FAILED
    assert run.stderr == (
        f"ci/gate: {bootstrap.BASE} cannot make .venv, as it lacks the module venv or ensurepip; "
        f"on Debian or Ubuntu: apt install python3.{sys.version_info.minor}-venv\n"
    )
    assert not (project.root / ".venv").exists()


def test_a_venv_of_another_is_never_emptied(project: Project, tmp_path: Path) -> None:
    venv, other = project.root / ".venv", tmp_path / "other"
    venv.rename(other)
    venv.symlink_to(other)
    (other / ".ready").write_text("gate\nmade for something else")
    run = project.run("gate")
    assert run.returncode == SETUP_FAILED
    assert run.stderr.endswith(f"ci/gate: {venv} is a link: remove it, then .venv is made here\n")
    assert (other / "bin" / "python").exists()


@pytest.fixture
def path_without_python(tmp_path: Path) -> Path:
    """A directory for PATH with nothing but what the scripts call."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "dirname").symlink_to(str(shutil.which("dirname")))
    return directory


@pytest.mark.parametrize(
    ("pythons", "found"),
    [
        ({}, "none"),
        ({"python3": "3.10"}, "python3 is 3.10"),
        ({"python3": "2.7", "python3.11": "3.9"}, "python3 is 2.7, python3.11 is 3.9"),
    ],
)
def test_without_a_new_enough_python_one_line_says_what_was_found(
    project: Project, path_without_python: Path, pythons: dict[str, str], found: str
) -> None:
    for name, version in pythons.items():
        write_program(path_without_python / name, f"#!/bin/sh\necho {version}\n")
    run = project.run("gate", PATH=str(path_without_python), PYTHON="")
    assert run.returncode == SETUP_FAILED
    assert run.stderr == (
        f"ci/gate: needs Python 3.11 or newer; found {found} (looked for python3, python3.14 to python3.11); "
        "install one, or set PYTHON to its path\n"
    )


def test_the_first_new_enough_python_is_taken(project: Project, path_without_python: Path) -> None:
    program = '#!/bin/sh\n[ "$2" = -c ] && echo {version} || echo {version} "$@"\n'
    write_program(path_without_python / "python3", program.format(version="3.9"))
    write_program(path_without_python / "python3.13", "#!/bin/sh\nexit 127\n")  # a version manager's empty shim
    write_program(path_without_python / "python3.12", program.format(version="3.12"))
    run = project.run("gate", "--env=local", PATH=str(path_without_python), PYTHON="")
    assert run.stdout == f"3.12 -S {project.root}/ci/bootstrap.py gate --env=local\n"


def test_a_complete_environment_needs_no_search(project: Project, path_without_python: Path) -> None:
    project.mark()
    project.run("gate", "--env=local", PATH=str(path_without_python), PYTHON="")
    assert project.calls == [f"-S {project.root}/ci/bootstrap.py gate --env=local"]
