"""The wheel, installed into an environment of its own, works in any directory and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import migration_health
from plugins.paths import ROOT
from tests.support.load import patience

RUN_S = 120.0
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("SHOP_DATABASE_URL")\n}\n'


@dataclass(frozen=True)
class Installed:
    """The program in an environment that has this one's packages, and a directory to stand in."""

    venv: Path
    here: Path

    @property
    def packages(self) -> Path:
        """Where the wheel is installed."""
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.venv)}))

    @property
    def files(self) -> set[Path]:
        """What is installed."""
        return {path.relative_to(self.venv) for path in self.venv.rglob("*")}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the console script."""
        return call(str(self.venv / "bin" / "migration-health"), *words, cwd=self.here)

    def pip(self, *words: str) -> None:
        """Run this environment's pip for that one."""
        done = call(sys.executable, "-m", "pip", "--python", str(self.venv / "bin" / "python"), *words, cwd=self.here)
        assert done.returncode == 0, done.stdout + done.stderr


def call(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without what would lead it to the checkout."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "AWS_"))}
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=patience(RUN_S), check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Build the wheel, install it, and uninstall it in the end, when nothing may be left."""
    place = tmp_path_factory.mktemp("wheel")
    built = call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (wheel,) = place.glob("*.whl")
    program = Installed(place / "venv", place / "a directory")
    assert call(sys.executable, "-m", "venv", "--without-pip", str(program.venv), cwd=place).returncode == 0
    (program.packages / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    before = program.files
    program.here.mkdir()
    # Names that the suite uses too.
    (program.here / "conftest.py").write_text("raise SystemExit('not the suite')\n")
    for name in ("checks", "fixtures", "health", "plugins"):
        (program.here / f"{name}.py").write_text("raise SystemExit('not the suite')\n")
    program.pip("install", "--quiet", "--no-deps", "--no-index", str(wheel))
    yield program
    program.pip("uninstall", "--quiet", "--yes", "migration-health")
    assert program.files == before


def test_it_adds_one_package(installed: Installed) -> None:
    names = {path.name for path in installed.packages.iterdir()}
    version = migration_health.__version__
    assert names == {"outer.pth", "migration_health", f"migration_health-{version}.dist-info"}
    assert (installed.packages / "migration_health" / "py.typed").exists()


def test_it_tells_its_version(installed: Installed) -> None:
    said = installed.run("--version").stdout
    assert said.startswith(f"migration-health {migration_health.__version__}, pytest {pytest.__version__}, Python ")


def test_it_has_every_check(installed: Installed) -> None:
    done = installed.run("--list-checks", "--format=json")
    own = call(sys.executable, "-m", "migration_health", "--list-checks", "--format=json", cwd=ROOT)
    assert json.loads(done.stdout) == json.loads(own.stdout)


def test_it_judges_the_local_environment(installed: Installed) -> None:
    done = installed.run("--env", "local", "--report", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "environment: local (migration-health's own environments.toml)" in done.stdout
    assert "local: HEALTHY" in done.stdout
    assert "\nchecks/test_history.py ." in done.stdout
    report = json.loads((installed.here / "out" / "report.json").read_text())
    assert report["tool_version"] == migration_health.__version__


def test_a_fault_blocks_with_processes_of_its_own(installed: Installed) -> None:
    done = installed.run("--env=local", "--fault", "failed-migration", "-n", "2", "checks/test_history.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Root cause: failed-migration" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_crash(installed: Installed) -> None:
    program = installed.venv / "bin" / "migration-health"
    done = call("sh", "-c", f"'{program}' --list-checks --format=json | true", cwd=installed.here)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_registry_it_says_how_to_make_one(installed: Installed) -> None:
    done = installed.run("--env=prod")
    assert done.returncode == 4
    assert done.stderr == (
        f"ERROR: --env: there is no environments.toml in {installed.here}, nor above it in its repository. Write one "
        "by migration-health init, or name one by --environments FILE; only local needs none.\n\n"
    )


def test_init_writes_a_registry_that_the_next_command_takes(installed: Installed) -> None:
    app = installed.here.parent / "app"
    (app / "prisma").mkdir(parents=True)
    (app / "prisma" / "schema.prisma").write_text(SCHEMA)
    (app / ".env").write_text("SHOP_DATABASE_URL=postgresql://shop:of-the-shop@127.0.0.1:1/shop\n")
    program = Installed(installed.venv, app)
    done = program.run("init")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(
        "\nSet SHOP_DATABASE_URL, unless Prisma's .env does, then: migration-health --env=database\n"
    )
    listed = program.run("--env=database", "--co", "-q")
    assert listed.returncode == 5, listed.stdout + listed.stderr
    assert "checks/test_migrations.py" in listed.stdout
    again = program.run("init")
    assert (again.returncode, "Nothing was written." in again.stderr) == (4, True)
