"""The hook for pre-commit asks about each migration file of a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from migration_health import hook

ONE, OTHER = "app/prisma/migrations/20260101000000_one/migration.sql", "db/migrations/20260102000000_two/migration.sql"


@pytest.mark.parametrize(
    ("statuses", "status"), [((0, 0), 0), ((0, 1), 1), ((1, 10), 1), ((10, 0), 10), ((4, 0), 4), ((), 0)]
)
def test_each_file_is_asked_about_and_one_refusal_is_enough(
    monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...], status: int
) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        asked.append(command[command.index("migration_health") + 1 :])
        return SimpleNamespace(returncode=statuses[len(asked) - 1])

    monkeypatch.setattr(subprocess, "run", run)
    assert hook.main(["--env=dev", *[ONE, OTHER][: len(statuses)]]) == status
    assert (
        asked
        == [
            ["--editing=20260101000000_one", "--migrations=app/prisma/migrations", "--env=dev"],
            ["--editing=20260102000000_two", "--migrations=db/migrations", "--env=dev"],
        ][: len(statuses)]
    )


@pytest.mark.parametrize(
    ("sql", "status", "said"),
    [
        pytest.param(None, 4, "20260101000000_one", id="missing"),
        pytest.param('CREATE TABLE "A" (id integer);', 0, "sound in the directory", id="sound"),
        pytest.param('DROP TABLE "Absent";', 1, "no edit found", id="broken"),
    ],
)
def test_the_suite_answers_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest,
    *, sql: str | None, status: int, said: str,
) -> None:  # fmt: skip
    if sql is not None and not request.config.getoption("full"):
        pytest.skip("--full asks about files that exist as well")
    file = tmp_path / ONE
    (file.parent.parent / "20250101000000_zero").mkdir(parents=True)
    (file.parent.parent / "20250101000000_zero" / "migration.sql").write_text("SELECT 1;\n")
    if sql is not None:
        file.parent.mkdir()
        file.write_text(sql)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    assert hook.main([ONE]) == status
    shown = capfd.readouterr()
    assert said in shown.out + shown.err
