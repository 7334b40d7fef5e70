"""Where the tests' data are."""

from plugins.paths import ROOT

DATA = ROOT / "tests" / "data"
