"""Reads a Prisma configuration file without running it: its schema, migrations, URL and engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from health.application.expression import Evaluator, Object, Value
from health.application.javascript import SourceError
from health.application.module_scope import read_module
from health.application.settings import Computed, Setting, Text

_EXTENSIONS = (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts")


@dataclass(frozen=True)
class ConfigFile:
    """What a configuration file sets.

    Attributes:
        schema: the schema's file or directory, relative to the file.
        migrations: the migrations directory, relative to the file.
        url: of the datasource.
        direct_url: of the datasource, without a pooler; in Prisma 6.
        engine: ``classic`` or ``js``, in Prisma 6.
        for_prisma_8: whether it is marked as one of Prisma 8.
        loads_env_file: whether it loads ``.env`` by the package dotenv.
    """

    schema: Setting
    migrations: Setting
    url: Setting
    direct_url: Setting
    engine: Setting
    for_prisma_8: bool = False
    loads_env_file: bool = False

    @property
    def needs_running(self) -> Computed | None:
        """Why only running the file tells where schema and migrations are; None if reading it does."""
        return next((each for each in (self.schema, self.migrations) if isinstance(each, Computed)), None)


def config_names(version: tuple[int, int] | None) -> tuple[str, ...]:
    """The names under which Prisma looks for a configuration file, in its order, relative to where it runs.

    Args:
        version: major and minor of Prisma; None where it is not known.
    """
    # @prisma/config 6.19.3 and 7.10.1, and c12, which resolves a name also as a directory with an index.
    own = ("prisma7.config", ".config/prisma7") if version is None or version >= (7, 10) else ()
    names = [f"{name}{extension}" for name in own for extension in _EXTENSIONS]
    for name in ("prisma.config", ".config/prisma", ".config/prisma.config"):
        names += [f"{name}{extension}" for extension in _EXTENSIONS]
        names += [f"{name}/index{extension}" for extension in _EXTENSIONS]
    return tuple(names)


def read_config(text: str, file: PurePath, root: PurePath) -> ConfigFile:
    """Read a configuration file.

    Args:
        text: its content.
        file: its absolute path.
        root: where Prisma runs.
    """
    try:
        module = read_module(text)
    except SourceError as error:
        return _computed(str(error))
    evaluator = Evaluator(module, str(file.parent), str(root))
    loads = any(name == "dotenv" or name.startswith("dotenv/") for name in module.loaded)
    if len(module.exported) != 1:
        return _computed("it has no single default export", loads=loads)
    config = evaluator.evaluate(module.exported[0])
    if not isinstance(config, Object):
        return _computed(
            f"it is computed: {config.reason}" if isinstance(config, Computed) else "its default export is no object",
            loads=loads,
        )
    migrations, datasource = config.get("migrations"), config.get("datasource")
    return ConfigFile(
        _setting(config.get("schema"), "schema"),
        _setting(_inner(migrations, "path"), "migrations.path"),
        _setting(_inner(datasource, "url"), "datasource.url"),
        _setting(_inner(datasource, "directUrl"), "datasource.directUrl"),
        _setting(config.get("engine"), "engine"),
        evaluator.for_prisma_8,
        loads,
    )


def _computed(reason: str, *, loads: bool = False) -> ConfigFile:
    every = Computed(reason)
    return ConfigFile(every, every, every, every, every, loads_env_file=loads)


def _inner(value: Value, key: str) -> Value:
    if value is None or isinstance(value, Computed):
        return value
    return value.get(key) if isinstance(value, Object) else Computed("it is no object")


def _setting(value: Value, name: str) -> Setting:
    if isinstance(value, Object):
        return Computed(f"{name} is an object")
    if isinstance(value, Computed):
        return Computed(f"{name} is computed: {value.reason}")
    return None if value == Text("") else value  # Prisma takes an empty path as none
