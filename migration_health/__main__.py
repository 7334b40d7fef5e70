"""Runs ``python -m migration_health``."""

import sys

from migration_health.launcher import main

sys.exit(main())
