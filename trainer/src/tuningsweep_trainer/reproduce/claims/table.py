"""All claims in the order of the table; called by the pages."""

from collections.abc import Callable
from typing import Final

from tuningsweep_trainer.reproduce.claims import limit, quality, settings, within
from tuningsweep_trainer.reproduce.claims.claim import Claim
from tuningsweep_trainer.reproduce.reading import Tidy

CLAIMS: Final[tuple[Callable[[Tidy], list[Claim]], ...]] = (
    within.level,
    within.memory_from_start,
    settings.learning_rate,
    settings.batch_size,
    settings.cpu,
    limit.runs_over_400,
    quality.mnist_accuracy,
    quality.models,
)


def claims(tidy: Tidy) -> list[Claim]:
    """Every claim, one entry a workload."""
    return [claim for measure in CLAIMS for claim in measure(tidy)]
