"""What is read of a schema: only its datasource."""

from __future__ import annotations

import pytest

from health.application.schema_file import Datasource, read_datasource
from health.application.settings import Computed, Text, Variable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('datasource db {\n provider = "postgresql"\n}', Datasource("postgresql", None, None, ())),
        ('\ufeffdatasource db{provider="postgresql"url=env("A")}', Datasource("postgresql", Variable("A"), None, ())),
        ('datasource db { url = "a//b" // env("A")\n}', Datasource("", Text("a//b"), None, ())),
        ('datasource db { url = "a\\"b" }', Datasource("", Text('a"b'), None, ())),
        ('datasource db { url = env(A) }', Datasource("", Computed("it is neither a text nor env(…)"), None, ())),
        (
            'datasource db { schemas = ["a", "b", ] \n directUrl = env("D") }',
            Datasource("", None, Variable("D"), ("a", "b")),
        ),
        ('datasource db { schemas = ["a" }', Datasource("", None, None, ("a",))),
        ('/* datasource x { provider = "mysql" } */ datasource db {}', Datasource("", None, None, ())),
        ('model M { datasource db { provider = "mysql" } }', None),
        ('// datasource db { provider = "mysql" }', None),
        ('model datasource { id Int @id }', None),
        ('datasource', None),
        ('datasource db', None),
        ('datasource db { provider =', Datasource("", None, None, ())),
        ("", None),
    ],
)  # fmt: skip
def test_a_datasource_is_read(text: str, expected: Datasource | None) -> None:
    assert read_datasource(text) == expected


def test_printing_a_datasource_does_not_show_a_url() -> None:
    assert "hunter2" not in repr(read_datasource('datasource db { url = "postgresql://u:hunter2@h/x" }'))
