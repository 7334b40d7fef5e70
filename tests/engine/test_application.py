"""What is read of an application against Prisma's own answer: the CLI 6.19.3, and the configuration readers of both."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.application.candidates import config_in
from fixtures.application.config_loader import load_config
from fixtures.application.finding import find_application
from health.application.application import Application
from health.application.config_file import config_names, read_config
from health.application.settings import Setting, Text, Variable
from health.finding import CouldNotCheck
from plugins.paths import ROOT
from tests.engine import prisma
from tests.support.load import patience

pytestmark = pytest.mark.skipif(prisma.unavailable() is not None, reason=str(prisma.unavailable()))

SECRET = "postgresql://somebody:hunter2-hunter2@nowhere.invalid/db"
TREES = tomllib.loads((ROOT / "tests/data/applications.toml").read_text())
POSTGRESQL = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
LOADED = re.compile(r"^Prisma schema loaded from (.*?)\.?$", re.MULTILINE)
VERSIONS = ("6.19.3", "7.10.1")

CONFIGS = {
    "prisma.config.ts": """
        import path from "node:path"
        import { defineConfig, env } from "prisma/config"
        type Env = { HEALTH_URL: string }
        const top = `db` as const // the rest hangs on it
        export default defineConfig({
          engine: "classic",
          schema: path.join(top, "..", 'sch\\u0065ma.prisma'),
          migrations: { path: top + "/it's \\"here\\"", seed: `tsx ${top}/seed.ts` },
          datasource: { url: env<Env>("HEALTH_URL") },
        })
        """,
    "prisma.config.mjs": """
        export default { schema: "a/./b", engine: "classic", datasource: { url: process.env.HEALTH_URL } }
        """,
    "prisma.config.cjs": """
        const { defineConfig: make } = require("prisma/config"), path = require("path")
        module.exports = make({ schema: path.resolve(__dirname, "x"), migrations: { path: `${"m"}` } })
        """,
    ".config/prisma.mts": """
        import type { PrismaConfig } from "prisma"
        export default { schema: ("../s.prisma"), migrations: { path: process.cwd() + "/m" } } satisfies PrismaConfig
        """,
    "prisma.config/index.ts": """
        const pattern = /["'`{]/
        const config = { schema: pattern ? "" : "", migrations: { path: '../m' } }
        export default config
        """,
    "prisma.config.js": """
        const names = ["db", "schema.prisma"]
        module.exports = { schema: names.join("/"), engine: "classic", datasource: { url: process.env["HEALTH_URL"] } }
        """,
}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what these tests set leads Prisma to a database."""
    for name in [name for name in os.environ if name.endswith("DATABASE_URL") or name.startswith("PRISMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HEALTH_URL", SECRET)
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    idle = shutil.which("true") or ""
    monkeypatch.setenv("PRISMA_SCHEMA_ENGINE_BINARY", idle)  # else the CLI downloads them
    monkeypatch.setenv("PRISMA_QUERY_ENGINE_LIBRARY", idle)


def equip(root: Path, version: str) -> Path:
    """Give a directory the packages of a version. Of 7 it is the package that reads configuration files."""
    packages = prisma.install() / "node_modules"
    if version == "6.19.3":
        (root / "node_modules").symlink_to(packages)
        return root
    (root / "node_modules/@prisma").mkdir(parents=True)
    (root / "node_modules/@prisma/config").symlink_to(packages / "prisma-config-7.10.1")
    (root / "node_modules/prisma").mkdir()
    exports = {"./config": "./config.js", "./package.json": "./package.json"}
    described = {"name": "prisma", "version": version, "exports": exports}
    (root / "node_modules/prisma/package.json").write_text(json.dumps(described))
    (root / "node_modules/prisma/config.js").write_text('module.exports = require("@prisma/config")')
    return root


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def config(name: str, version: str) -> str:
    """A configuration file; Prisma 7 refuses an object with an engine."""
    return CONFIGS[name] if version == "6.19.3" else CONFIGS[name].replace('engine: "classic",', "")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CONFIGS)
def test_prisma_reads_the_same_of_a_config(tmp_path: Path, version: str, name: str) -> None:
    file = write(equip(tmp_path, version), name, config(name, version))
    assert config_in(tmp_path, tuple(map(int, version.split(".")[:2]))) == file  # type: ignore[arg-type] # two numbers
    ours = read_config(file.read_text(), file, tmp_path)
    theirs = load_config(file, tmp_path, patience(30))

    def path(setting: Setting) -> Path | None:
        return Path(os.path.normpath(file.parent / setting.text)) if isinstance(setting, Text) else None

    known = [setting for setting in (ours.schema, ours.migrations) if isinstance(setting, Text)]
    assert known or ours.needs_running
    for setting, answer in ((ours.schema, theirs.schema), (ours.migrations, theirs.migrations)):
        if setting is None or isinstance(setting, Text):
            assert path(setting) == answer
    assert isinstance(ours.url, Variable) == (theirs.url is not None)
    if isinstance(ours.url, Variable):
        assert theirs.url == (ours.url.name,)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_computed_config_is_answered_by_the_application_s_prisma(tmp_path: Path, version: str) -> None:
    root = equip(tmp_path, version)
    write(root, "prisma.config.ts", config("prisma.config.js", version).replace("module.exports =", "export default"))
    write(root, "db/schema.prisma", POSTGRESQL)
    found = find_application(root, home=root, load=lambda file, at: load_config(file, at, patience(30)))
    assert isinstance(found, Application)
    assert (found.schema, found.migrations) == (root / "db/schema.prisma", root / "db/migrations")
    assert found.url == Variable("HEALTH_URL")
    assert found.sources["schema"] == f"prisma.config.ts, as Prisma {version} reads it"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            'throw new Error("no\\n" + process.env.HEALTH_URL + " at postgres://u:hunter2@h/x")',
            "no $HEALTH_URL at a URL",
        ),
        (
            "import { env } from 'prisma/config'; export default { datasource: { url: env('NOWHERE') } }",
            r".*\bNOWHERE\b",
        ),
        ("export default { schema: 5 }", ""),
        ("export default {", ""),
        ("process.exit(0)", "it ends the process before Prisma has read it"),
        ("console.log(process.env.HEALTH_URL); await new Promise(() => {})", "it ends the process before"),
        ("throw null", ""),
    ],
    ids=["throws", "variable", "number", "syntax", "exit", "never-ends", "null"],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_config_that_fails_is_one_line_without_secrets(
    tmp_path: Path, version: str, text: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write(equip(tmp_path, version), "prisma.config.ts", text)
    with pytest.raises(CouldNotCheck) as caught:
        load_config(file, tmp_path, patience(30))
    message = str(caught.value)
    assert re.match(f"the configuration file fails: {reason.replace('$', '[$]')}", message)
    assert "hunter2" not in message + "".join(capfd.readouterr())
    assert len(message.splitlines()) == 1


def test_a_config_that_goes_on_is_ended(tmp_path: Path) -> None:
    file = write(equip(tmp_path, "6.19.3"), "prisma.config.ts", "setInterval(() => {}, 1); await new Promise(() => {})")
    with pytest.raises(CouldNotCheck, match="does not end within 3 s"):
        load_config(file, tmp_path, 3)


@pytest.mark.parametrize(
    "name",
    [
        "default-in-prisma", "the-schema-at-the-top-wins", "config-in-dot-config", "package-json",
        "package-json-beside-a-config-without-schema", "many-files-in-6", "config-js-before-ts",
    ],
)  # fmt: skip
def test_the_cli_6_takes_the_same_schema(tmp_path: Path, name: str) -> None:
    for file, content in TREES[name]["files"].items():
        if not file.startswith("node_modules/"):
            write(tmp_path, file, POSTGRESQL if content == "@postgresql" else content)
    equip(tmp_path, "6.19.3")
    found = find_application(tmp_path, home=tmp_path)
    assert isinstance(found, Application)
    assert found.prisma.version == "6.19.3"
    command = ["node", "node_modules/prisma/build/index.js", "validate"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=patience(60), check=False)
    match = LOADED.search(done.stdout + done.stderr)
    assert match, done.stdout + done.stderr
    assert tmp_path / match[1] == found.schema


CHOSEN = """
const { createRequire } = require("node:module"), [package_, ...roots] = process.argv.slice(1);
const config = createRequire(package_)("@prisma/config");
(async () => {
  const found = [];
  for (const root of roots) {
    const known = config.findPrismaConfigFile?.(root);  // from 7.10 on
    found.push(known ?? (await config.loadConfigFromFile({ configRoot: root })).resolvedPath);
  }
  console.log(JSON.stringify(found));
})();
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_prisma_chooses_the_same_config(tmp_path: Path, version: str) -> None:
    chance = random.Random(16)
    release: Any = tuple(map(int, version.split(".")[:2]))
    roots = []
    for number in range(40):
        root = tmp_path / str(number)
        root.mkdir()
        for name in chance.sample(config_names(None), chance.randint(0, 6)):
            if not (root / name).exists():
                write(root, name, "module.exports = {}" if name[-3] == "c" else "export default {}")
        roots.append(root)
    home = equip(tmp_path, version)
    package = (home / "node_modules/prisma").resolve() / "package.json"
    command = ["node", "-e", CHOSEN, "--", str(package), *map(str, roots)]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=patience(120), check=False)
    assert done.returncode == 0, done.stderr
    theirs = [Path(path) if path else None for path in json.loads(done.stdout)]
    assert theirs == [config_in(root, release) for root in roots]
    assert len({path.name for path in theirs if path}) > 6
