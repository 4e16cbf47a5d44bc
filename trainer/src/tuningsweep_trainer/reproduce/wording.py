"""Claims, savings and the machine in words, for the page and for Markdown. Pure."""

from collections.abc import Sequence
from typing import Any

from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement
from tuningsweep_trainer.reproduce.savings import ARMS, Outcome


def value(claim: Claim) -> str:
    """What was measured, with its unit and interval."""
    if claim.measured is None:
        return "not measured"
    unit = f" {claim.statement.unit}" if claim.statement.unit not in ("", "ratio", "partial eta squared") else ""
    number = f"{claim.measured:.3g}"
    if claim.interval is None:
        return number + unit
    return f"{number} ({claim.interval[0]:.3g} to {claim.interval[1]:.3g}){unit}"


def verdict(claim: Claim) -> str:
    """Whether it agrees."""
    if claim.measured is None:
        return "not measured"
    return {True: "agrees", False: "disagrees", None: "nothing to compare"}[claim.agrees]


def by_statement(claims: Sequence[Claim]) -> dict[Statement, list[Claim]]:
    """The measurements of each claim, in the order of the claims."""
    found: dict[Statement, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.statement, []).append(claim)
    return found


def where(claims: Sequence[Claim], agrees: bool | None) -> list[str]:
    """Workloads on which a claim agrees, disagrees, or (None) neither."""
    return [claim.workload or verdict(claim) for claim in claims if claim.agrees is agrees]


def left_out(machine: dict[str, Any]) -> list[tuple[str, str]]:
    """Workloads and sweeps that have no data, and why."""
    return [*machine.get("left_out", {}).items(), *machine.get("failed", {}).items()]


def tally(claims: Sequence[Claim]) -> str:
    """How many agree."""
    counts = dict.fromkeys(("agrees", "disagrees", "nothing to compare", "not measured"), 0)
    for claim in claims:
        counts[verdict(claim)] += 1
    return (
        f"{counts['agrees']} measurements agree, {counts['disagrees']} disagree, {counts['nothing to compare']} have no"
        f" figure of the thesis to compare with, {counts['not measured']} could not be made."
    )


def facts(machine: dict[str, Any]) -> list[tuple[str, str]]:
    """machine.json as names and texts."""
    return [(key.replace("_", " "), _text(entry)) for key, entry in machine.items() if entry != {}]


def findings(outcomes: Sequence[Outcome]) -> list[str]:
    """What each arm saved and cost over its workloads, a sentence each."""
    arms = [arm for arm in ARMS if any(outcome.arm == arm for outcome in outcomes)]
    return [_finding(arm, [outcome for outcome in outcomes if outcome.arm == arm]) for arm in arms]


def _finding(arm: str, outcomes: Sequence[Outcome]) -> str:
    saved = [outcome.saved_percent for outcome in outcomes]
    known = [outcome for outcome in outcomes if outcome.worse_percent is not None]
    count = f"{len(outcomes)} workload{'s' if len(outcomes) != 1 else ''}"
    low, high = f"{min(saved):.1f} %", f"{max(saved):.1f} %"
    text = f"`{arm}`: {low if low == high else f'{low} to {high}'} of the CPU time saved over {count}"
    if len(known) < len(outcomes):
        text += f"; on {len(outcomes) - len(known)} of them some run was left without a best trial"
    if not known:
        return text + "."
    worst = max(known, key=lambda outcome: outcome.worse_percent or 0.0)
    assert worst.worse_percent is not None
    if worst.worse_percent <= 0:
        return text + "; the best objective was nowhere worse."
    return text + f"; the best objective was at most {worst.worse_percent:.2g} % worse ({worst.workload})."


def _text(entry: Any) -> str:
    if isinstance(entry, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in entry.items())
    if isinstance(entry, list):
        return ", ".join(map(_text, entry))
    return str(entry)
