"""A careless user's module that cannot be collected, and says too much of why; test_redaction.py runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.support.sandbox import environment, facts

with facts(environment(json.loads(Path(os.environ["LEAKING_ENTRY"]).read_text()))) as _read:
    password = _read["secret_read"].password.reveal()
    print(password)
    assert password == {"it is": [password]}, password
