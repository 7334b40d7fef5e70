"""What is suggested for a layer that differs: it depends on the text that the database has applied."""

from __future__ import annotations

from typing import Any

import pytest

from health.layer.comparison import DeployedLayer
from health.prisma.engine import checksum
from tests.support.fix_cases import ANOTHER, FILE, NAME, KnownEffects, RowKind, found, row, suggested


@pytest.mark.parametrize(
    ("states", "deploys", "told"),
    [
        ((), True, "neither text yet"),
        (("failed",), True, "neither text yet"),
        (("applied",), True, "the checkout's text"),
        (("edited",), False, "has applied the layer's text"),
        (("edited before", "applied"), True, "the checkout's text"),
        (("hand-written",), False, "a third text"),
    ],
)
def test_the_side_that_the_database_agrees_with(states: tuple[RowKind, ...], deploys: bool, told: str) -> None:
    facts: dict[str, Any] = KnownEffects().facts(*(row(state, id=str(n)) for n, state in enumerate(states)))
    facts["deployed_layer"] = DeployedLayer("prisma", 3, {NAME: checksum(ANOTHER)})
    (finding,) = found("layer-mismatch", facts)
    fixes, reason = suggested(finding, facts)
    assert bool(fixes) is deploys
    assert told in "".join([reason, *(fix.note for fix in fixes)])


def test_a_stale_layer_is_built_anew_before_it_is_shipped() -> None:
    facts: dict[str, Any] = KnownEffects().facts()
    facts["deployed_layer"] = DeployedLayer("prisma", 3, {"1_other": checksum(FILE)})
    (finding,) = found("stale-layer", facts)
    ((fix,), _) = suggested(finding, facts)
    assert fix.body == "rm -f -- layers/prisma/.build-complete && npx frigg deploy --stage=dev"
    (ahead,) = found("layer-ahead", facts)
    assert ahead.subject == "1_other"
    assert "checkout up to date" in suggested(ahead, facts)[1]
