"""The reproduction as one HTML page that fetches nothing; called by `pages.write_pages`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tuningsweep_trainer.report import standalone
from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.reproduce import wording
from tuningsweep_trainer.reproduce.claims.claim import Claim
from tuningsweep_trainer.reproduce.effects import effects
from tuningsweep_trainer.reproduce.markdown import gaps
from tuningsweep_trainer.reproduce.reading import Tidy
from tuningsweep_trainer.reproduce.savings import Outcome
from tuningsweep_trainer.reproduce.tables import effects_table, savings_table, trials_table

PACKAGE = "tuningsweep_trainer.reproduce"


@dataclass(frozen=True)
class Content:
    """All that the page shows."""

    tidy: Tidy
    claims: Sequence[Claim]
    outcomes: Sequence[Outcome]
    figures: Sequence[Figure]
    """The thesis's, and last the one of savings."""
    version: str


def render(content: Content, now: datetime) -> str:
    """The page."""
    tables = {
        "effects": effects_table(effects(content.tidy.trials)),
        "savings": savings_table(content.outcomes),
        "trials": trials_table(content.tidy.trials),
    }
    return standalone.render(
        PACKAGE,
        content.figures,
        tables,
        notes=_notes(content.tidy),
        tally=wording.tally(content.claims),
        claims=[
            {
                "claim": statement.claim,
                "how": f"{statement.measure}; agrees if {statement.rule}",
                "rows": [_claim_words(claim) for claim in group],
            }
            for statement, group in wording.by_statement(content.claims).items()
        ],
        findings=wording.findings(content.outcomes),
        gaps=gaps(content.tidy, content.outcomes),
        facts=wording.facts(content.tidy.machine),
        written=now.strftime("%Y-%m-%d %H:%M:%S"),
        version=content.version,
    )


def _claim_words(claim: Claim) -> dict[str, Any]:
    return {
        "workload": claim.workload,
        "value": wording.value(claim),
        "n": claim.n,
        "verdict": wording.verdict(claim),
        "kind": {True: "good", False: "bad", None: "open"}[claim.agrees],
        "note": claim.note,
    }


def _notes(tidy: Tidy) -> list[str]:
    made_up = sorted(tidy.trials.loc[tidy.trials["stand_in"].astype(bool), "workload"].unique())
    notes = [f"Made-up data in place of the thesis's: {', '.join(made_up)}."] if made_up else []
    return [*notes, *(f"Not run: {name}: {why}" for name, why in wording.left_out(tidy.machine))]
