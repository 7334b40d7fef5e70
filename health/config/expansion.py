"""Expanding the variables in the texts of ``environments.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from health.config.validation import RegistryError, shown


class Expansion:
    """Puts ``${VAR}``, ``{env}`` and a leading ``~`` into the texts of one environment.

    Args:
        where: names the environment's table in messages.
        variables: what they stand for; ``HOME`` is for ``~``.
    """

    def __init__(self, where: str, variables: Mapping[str, str]) -> None:
        self.where, self.variables = where, variables

    def expand(self, key: str, value: Any) -> Any:
        """Put them into a value, or into the values of a table.

        Raises:
            RegistryError: it names a variable that is not set.
        """
        if isinstance(value, dict):
            return {inner: self.expand(f"{key}.{inner}", setting) for inner, setting in value.items()}
        if not isinstance(value, str):
            return value

        def put(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name not in self.variables:
                problem = f"{key} = {shown(key, value)}: the variable {name} is not set"
                raise RegistryError(f"{self.where}: {problem}. Export it, or write the value.")
            return self.variables[name]

        text = re.sub(r"\$\{(\w+)\}|\{(env)\}", put, value)
        if text == "~" or text.startswith("~/"):
            text = self.variables.get("HOME", "~") + text[1:]
        return text
