"""What is read of configuration files without running them, and what is not."""

from __future__ import annotations

import time
from pathlib import PurePath

import pytest

from health.application.config_file import ConfigFile, config_names, read_config
from health.application.javascript import MOST_TOKENS
from health.application.settings import Computed, Setting, Text, Variable

DEFINE = 'import { defineConfig, env } from "prisma/config";\nimport path, { join as together } from "node:path";\n'


def read(text: str) -> ConfigFile:
    return read_config(text, PurePath("/app/.config/prisma.ts"), PurePath("/app"))


def schema_of(expression: str, before: str = "") -> Setting:
    return read(f"{DEFINE}{before}\nexport default defineConfig({{ schema: {expression} }})").schema


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('"a"', "a"),
        ("'a\\'b\\u0041\\x42\\u{43}\\n'", "a'bABC\n"),
        ("`a\\`b`", "a`b"),
        ("\"a\" + 'b' + `c`", "abc"),
        ('("a")', "a"),
        ('"a" as string', "a"),
        ('"a" satisfies string', "a"),
        ('path.join("a", "..", "b", `c`)', "b/c"),
        ('together("a", "b")', "a/b"),
        ('path.join(__dirname, "..", "b")', "/app/b"),
        ('path.join(import.meta.dirname, "b")', "/app/.config/b"),
        ('path.resolve("b")', "/app/b"),
        ('path.resolve(process.cwd(), "b")', "/app/b"),
        ('path.resolve("/x", "b")', "/x/b"),
        ('// "b"\n /* \'c\' */ "a" // d\n', "a"),
        ('"https://x/*y*/"', "https://x/*y*/"),
    ],
)
def test_constant_texts_are_read(expression: str, text: str) -> None:
    assert schema_of(expression) == Text(text)


@pytest.mark.parametrize(
    ("expression", "before", "reason"),
    [
        ("`a${b}`", "", "a template string with ${…} in line 4"),
        ("`a${`b${c + '}'}`}`", "", "a template string with ${…} in line 4"),
        ("find()", "", "find ( ) in line 4"),
        ("process.env.CI ? 'a' : 'b'", "", 'process . env . CI ? "…" : "…" in line 4'),
        ('"postgres://u:hunter2@h/" + db', "", '"…" + db in line 4'),
        ("path.join(base, 'a')", "", 'path . join ( base , "…" ) in line 4'),
        ("other.join('a')", "", 'other . join ( "…" ) in line 4'),
        ("x", "let x = 'a'", "x in line 4"),
        ("x", "const { x } = settings", "x in line 4"),
        ("new URL('a', import.meta.url)", "", 'new URL ( "…" , import . meta . url ) in line 4'),
        ("await find()", "", "await find ( ) in line 4"),
        ("['a']", "", '[ "…" ] in line 4'),
        ("/a'b/", "", "/…/ in line 4"),
        ("a", "const a = b; const b = a", "it is nested too deeply"),
    ],
)
def test_what_only_running_tells_is_computed(expression: str, before: str, reason: str) -> None:
    assert schema_of(expression, before) == Computed(f"schema is computed: {reason}")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('env("A")', Variable("A")),
        ('env<Env>("A")', Variable("A")),
        ("process.env.A", Variable("A")),
        ("process.env.A!", Variable("A")),
        ('process.env["A"]', Variable("A")),
        ("process.env.A as string", Variable("A")),
        ("(process.env.A)!", Variable("A")),
        ("String(process.env.A)", Variable("A")),
        ('process.env.A ?? "postgres://h/x"', Variable("A", fallback=True)),
        ("process.env.A || ''", Variable("A", fallback=True)),
        ("NAME", Variable("A")),
        ('"postgres://h/x"', Text("postgres://h/x")),
        ("process.env[name]", Computed("datasource.url is computed: process . env [ name ] in line 4")),
        ("process.env.B", Computed("datasource.url is computed: the file itself sets B")),
        ('env("B")', Computed("datasource.url is computed: the file itself sets B")),
        ("undefined", None),
    ],
)
def test_the_variable_of_a_url_is_read(expression: str, expected: Setting) -> None:
    before = 'const NAME = process.env.A; process.env.B ??= "x"'
    text = f"{DEFINE}{before}\nexport default defineConfig({{ datasource: {{ url: {expression} }} }})"
    assert read(text).url == expected


@pytest.mark.parametrize(
    "text",
    [
        'export default { schema: "a" }',
        'export default { schema: "a" } satisfies PrismaConfig\nfoo("x")',
        'export default { "schema": "a", } as const;',
        'export default ({ schema: "a" })',
        'const config: PrismaConfig = { schema: "a" }\nexport default config',
        'const schema = "a"\nexport default { schema }',
        'const x = a / b; const y = "/{"\nexport default { schema: "a" }',
        'const x = make("b"), schema = "a", y = 1\nexport default { schema }',
        'const { defineConfig } = require("prisma/config"), y = 1\nmodule.exports = defineConfig({ schema: "a" })',
        'module.exports = { schema: "a" }',
        'const { defineConfig } = require("prisma/config")\nmodule.exports = defineConfig({ schema: "a" })',
        'const { defineConfig: make } = require("prisma/config")\nmodule.exports = make({ schema: "a" })',
        'const prisma = require("prisma/config")\nmodule.exports = prisma.defineConfig({ schema: "a" })',
        'import * as prisma from "prisma/config"\nexport default prisma.defineConfig({ schema: "a" })',
        'import { defineConfig as make, type Env } from "prisma/config"\nexport default make<Env>({ schema: "a" })',
        'export default { schema: "b", schema: "a" }',
        'export default { ...base, schema: "a" }',
        'export default { adapter: async () => { const x = { schema: "b" }; return x }, schema: "a" }',
        'export default { async adapter() { return `${x}` }, schema: "a", get x() { return 1 } }',
        '#!/usr/bin/env node\n\ufeff"use strict"\nexport default { schema: "a" }',
        'const pattern = /["\'`{]/\nexport default { schema: "a" }',
        'import type { X } from "y"\nimport x from "z" with { type: "json" }\nexport default { schema: "a" }',
        'type T = { schema: "b" }\ninterface S { schema: "c" }\nexport default { schema: "a" }',
    ],
)
def test_every_form_of_a_default_export_is_read(text: str) -> None:
    assert read(text).schema == Text("a")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no single default export"),
        ('export const schema = "a"', "it has no single default export"),
        ('module.exports = { schema: "a" }; module.exports = {}', "it has no single default export"),
        ('module.exports = { schema: "a" }; module.exports.schema = "b"', "it has no single default export"),
        ("export default () => ({})", "it is computed: ( ) => ( { } ) in line 1"),
        ("export default function () { return {} }", "it is computed: function ( ) { return { } } in line 1"),
        ('export default defineConfig({ schema: "a" })', 'it is computed: defineConfig ( { schema : "…" } ) in line 1'),
        (
            'import { defineConfig } from "./mine"\nexport default defineConfig({ schema: "a" })',
            'it is computed: defineConfig ( { schema : "…" } ) in line 2',
        ),
        (
            'const c = { schema: "a" }\nc.schema = "b"\nexport default c',
            "it is computed: c may be changed after line 1",
        ),
        ('export default { schema: "a", ...rest }', "schema is computed: ... rest in line 1"),
        ('export default { schema: "a", [key]: "b" }', 'schema is computed: [ key ] : "…" in line 1'),
        ("export default { schema: 'a'", "the bracket { of line 1 is not closed"),
        ("export default }", "the bracket } of line 1 closes nothing"),
        ("export default `a${", "the template string of line 1 does not end"),
        ("export default " + "(" * 10_000, "the bracket ( of line 1 is not closed"),
    ],
)
def test_a_config_that_must_be_run_says_why(text: str, reason: str) -> None:
    config = read(text)
    assert config.schema == Computed(reason)
    assert config.needs_running == config.schema


def test_what_is_not_set_is_not_computed() -> None:
    assert read(f"{DEFINE}export default defineConfig({{ schema: '' }})") == ConfigFile(None, None, None, None, None)


def test_a_whole_config() -> None:
    config = read(
        'import "dotenv/config"\n' + DEFINE + "export default defineConfig({\n  engine: 'classic',\n"
        '  migrations: { path: "m", seed: `tsx ${x}` },\n  datasource: { url: env("A"), directUrl: env("D"), '
        "shadowDatabaseUrl: x() },\n})"
    )
    assert config == ConfigFile(None, Text("m"), Variable("A"), Variable("D"), Text("classic"), loads_env_file=True)
    assert config.needs_running is None


def test_a_config_of_prisma_8_is_recognised() -> None:
    text = 'import { definePrismaConfig } from "prisma/config"; export default definePrismaConfig({ orm: {} })'
    assert read(text).for_prisma_8


def test_printing_a_text_does_not_show_it() -> None:
    assert "hunter2" not in repr(read('export default { datasource: { url: "postgres://u:hunter2@h/x" } }'))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 9_000 + ")" * 9_000,
        "`${" * 100_000,
        "/" * 15_000,
        "'" * 400_001,
        "a<" * 9_000,
        "process.env.A=" * 3_000,
        '"' + "\\\\" * 200_000,
        "a as b " * 6_000,
        "{a:" * 6_000 + "}" * 6_000,
    ],
    ids=range(9),
)
def test_hostile_texts_take_time_in_proportion(text: str) -> None:
    def seconds(part: str) -> float:
        start = time.process_time()
        assert isinstance(read(f"export default {part}").schema, Computed)
        return time.process_time() - start

    eighth, whole = (min(seconds(text[: len(text) // n]) for _ in range(2)) for n in (8, 1))
    assert whole < 20 * eighth + 0.2  # 64 times, were it the square


def test_a_text_of_too_many_tokens_is_not_read() -> None:
    assert read("a " * (MOST_TOKENS + 1)).schema == Computed(f"it has more than {MOST_TOKENS:,} words and marks")


def test_the_order_of_names_is_prisma_s() -> None:
    assert config_names((6, 19))[:3] == ("prisma.config.js", "prisma.config.ts", "prisma.config.mjs")
    assert config_names((7, 10))[0] == "prisma7.config.js"
    assert ".config/prisma.ts" in config_names(None)
