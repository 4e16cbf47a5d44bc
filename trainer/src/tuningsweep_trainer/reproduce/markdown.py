"""The reproduction's pages for docs/, as Markdown; called by `pages.write_pages`. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tuningsweep_trainer.report.figures.figure import Figure
from tuningsweep_trainer.reproduce import wording
from tuningsweep_trainer.reproduce.arms import HEADROOM, Arm
from tuningsweep_trainer.reproduce.claims.claim import Claim, Statement
from tuningsweep_trainer.reproduce.reading import Tidy
from tuningsweep_trainer.reproduce.savings import ARMS, Outcome
from tuningsweep_trainer.reproduce.settling import STEP_TOLERANCE, findings

WRITTEN: Final = "Written by `tuningsweep reproduce`, do not edit."
ABOUT_CLAIMS: Final = (
    "Intervals are 95 %, over the runs; a claim's rule says when a measurement agrees. The thesis itself is known to this"
    " project by a summary, so the claims are in our words and the order of the figures within its ranges (5 to 10 within"
    " runs, 11 to 28 by batch size and learning rate) is ours."
)
ENOUGH_SKIPS: Final = 50
"""Skips without a false one by which the rate of false ones is below 6 % with 95 % confidence (the rule of three)."""
ABOUT_SAVINGS: Final = (
    "Each sweep was run whole: every trial counted here was really stopped, pruned or skipped by the product. It is compared"
    f" with the run of the same seed without limits (`{Arm.NONE}`): CPU seconds saved, and change of the best validation"
    f" objective. `{Arm.LIMITS}` are {HEADROOM:g} times what the best trial of that run needed; `{Arm.LIMITS_75}` and"
    f" `{Arm.LIMITS_50}` what three quarters and half of its trials needed: all of them are known only after such a run."
    f" A trial is skipped falsely (`{Arm.FORECAST}`) if its configuration stayed within the limits in the run without any."
)


def reproduction(tidy: Tidy, claims: Sequence[Claim], figures: Sequence[Figure], images: Sequence[str]) -> str:
    """docs/reproduction.md: the claims, some figures, and which figure is which; `images` are names of figures."""
    shown = [figure for figure in figures if figure.name in images]
    parts = [
        "# The thesis, reproduced",
        WRITTEN,
        f"{_what(tidy)} {wording.tally(claims)} {ABOUT_CLAIMS}",
        "## Claims",
        *_claims(claims),
        "## Defaults",
        _defaults(findings(tidy.samples)),
        "## Figures",
        *(
            f"![{figure.alt}](images/reproduction-{figure.name}.png)\n\n{figure.title}. {figure.about}"
            for figure in shown
        ),
        "All figures are written to `RESULTS/figures/`, with the data behind them in one page, `RESULTS/reproduction.html`:",
        table(("figure", "data"), ((figure.title, "yes" if figure.chart else figure.about) for figure in figures)),
        "## Machine, versions, seeds",
        _facts(tidy),
    ]
    return "\n\n".join(parts) + "\n"


def savings(tidy: Tidy, outcomes: Sequence[Outcome], figure: Figure) -> str:
    """docs/savings.md: what early stopping on system criteria saves, and what was not measured."""
    parts = [
        "# What early stopping on system metrics saves",
        WRITTEN,
        ABOUT_SAVINGS,
        "## Found",
        *_found(outcomes, figure),
        "## Not found",
        "\n".join(f"- {gap}" for gap in gaps(tidy, outcomes)),
        "## Machine, versions, seeds",
        _facts(tidy),
    ]
    return "\n\n".join(parts) + "\n"


def gaps(tidy: Tidy, outcomes: Sequence[Outcome]) -> list[str]:
    """What the savings do not say."""
    workloads = sorted(
        {str(name) for name in tidy.trials["workload"]} | {str(name) for name in tidy.savings["workload"]}
    )
    found = [f"{workload}: {why}" for workload, why in wording.left_out(tidy.machine)]
    for arm in ARMS:
        there = {outcome.workload.split(" ")[0] for outcome in outcomes if outcome.arm == arm}
        missing = [workload for workload in workloads if workload not in there]
        if missing:
            found.append(f"`{arm}` was not run on {', '.join(missing)}.")
    runs = {outcome.runs for outcome in outcomes}
    if runs:
        found.append(
            f"Every number is of {_several(runs)} on one machine: nothing is said of others, or of larger models."
        )
    found += _on_noise(outcomes)
    if any(outcome.arm == Arm.FORECAST for outcome in outcomes):
        found.append(_on_skips(outcomes))
    made_up = sorted({outcome.workload for outcome in outcomes if "stand-in" in outcome.workload})
    if made_up:
        found.append(f"Made-up data say nothing about the real ones: {', '.join(made_up)}.")
    return found


def _on_noise(outcomes: Sequence[Outcome]) -> list[str]:
    noise = [outcome.saved_percent for outcome in outcomes if not outcome.ended_early]
    if not noise:
        return []
    between = f"{min(noise):.1f} % to {max(noise):.1f} %"
    text = f"Sweeps in which no trial was ended early did the work of `{Arm.NONE}`, and still saved {between} of its CPU time"
    return [f"{text}: differences of that size are chance."]


def _on_skips(outcomes: Sequence[Outcome]) -> str:
    skipped = sum(outcome.skipped for outcome in outcomes)
    falsely = sum(outcome.falsely_skipped for outcome in outcomes)
    text = f"The forecast skipped {skipped} trials, {falsely} of them falsely"
    if skipped >= ENOUGH_SKIPS:
        return f"{text}."
    return (
        f"{text}: too few to call its rate of false skips zero (that takes {ENOUGH_SKIPS}), so it stays off by default."
    )


def _defaults(found: dict[str, Any]) -> str:
    """What the runs say of warm-up, window and sampling, which the product's defaults cite."""
    if not found.get("trials_step_by_step"):
        return "No trial here has steps that are long enough to be seen one by one, so nothing is said of defaults."
    steps, memory = found["warmup_steps_for_step_time"], found["warmup_seconds_for_memory"]
    windows = ", ".join(f"{100 * part:.1f} % of {window}" for window, part in found["windows_over_headroom"].items())
    moves = ", ".join(f"{100 * part:.2f} % at {gap} s" for gap, part in found["memory_moves_between_looks"].items())
    level, over = 100 * STEP_TOLERANCE, 1 + STEP_TOLERANCE
    return (
        f"Of the {found['trials_step_by_step']} trials whose steps are seen one by one, 95 in 100 have come within"
        f" {level:.0f} % of their step time's level after {steps['quantile_0.95']:.0f} steps (`warmupSteps`). Means over a"
        f" window that are over {over:g} times the level, by steps: {windows} (`windowSteps`). Memory is"
        f" level {memory['quantile_0.95']:.2f} s after the start in 95 of 100 of all {found['trials']} trials; after that it"
        f" moves between two looks rarely: {moves} (sampling)."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _claims(claims: Sequence[Claim]) -> list[str]:
    """A table of all claims in short, then each with its measurements."""
    groups = wording.by_statement(claims)
    short = table(
        ("claim", "agrees on", "disagrees on", "undecided"),
        (
            (statement.claim, *(", ".join(wording.where(group, agrees)) or "-" for agrees in (True, False, None)))
            for statement, group in groups.items()
        ),
    )
    return [short, *(part for statement, group in groups.items() for part in _claim(statement, group))]


def _claim(statement: Statement, claims: Sequence[Claim]) -> list[str]:
    rows = (
        (claim.workload or "-", wording.value(claim), str(claim.n), wording.verdict(claim), claim.note)
        for claim in claims
    )
    return [
        f"### {statement.claim}",
        f"Measured: {statement.measure}. Agrees if: {statement.rule}.",
        table(("workload", "measured", "trials", "thesis", "note"), rows),
    ]


def _found(outcomes: Sequence[Outcome], figure: Figure) -> list[str]:
    if not outcomes:
        return [figure.about]
    head = (
        "workload",
        "arm",
        "CPU time saved",
        "best objective worse by",
        "stopped, pruned, skipped (falsely) of trials",
        "runs",
    )
    rows = [
        (
            outcome.workload,
            f"`{outcome.arm}`",
            _saved(outcome),
            _worse(outcome),
            f"{outcome.stopped}, {outcome.pruned}, {outcome.skipped} ({outcome.falsely_skipped}) of {outcome.trials}",
            str(outcome.runs),
        )
        for outcome in outcomes
    ]
    picture = [f"![{figure.alt}](images/{figure.name}.png)\n\n{figure.about}"] if figure.chart else []
    return ["\n".join(f"- {sentence}" for sentence in wording.findings(outcomes)), *picture, table(head, rows)]


def _saved(outcome: Outcome) -> str:
    between = _between(outcome.saved_range, ".1f") if outcome.runs > 1 else ""
    return f"{outcome.saved_percent:.1f} %{between}, {outcome.saved_seconds:.3g} s a run"


def _worse(outcome: Outcome) -> str:
    if outcome.worse_percent is None or outcome.worse_range is None:
        return "no trial was left in some run"
    between = _between(outcome.worse_range, ".2g") if outcome.runs > 1 else ""
    return f"{outcome.worse_percent:.2g} %{between} of {outcome.objective}"


def _between(ends: tuple[float, float], digits: str) -> str:
    return f" ({ends[0]:{digits}} to {ends[1]:{digits}})"


def _what(tidy: Tidy) -> str:
    trials = tidy.trials
    return (
        f"{len(trials):,} trials of {trials['workload'].nunique()} workloads without limits,"
        f" {_several({trials['run'].nunique()})} of each configuration."
    )


def _several(runs: set[int]) -> str:
    low, high = min(runs), max(runs)
    return f"{high} runs" if low == high and high > 1 else "one run" if high == 1 else f"{low} to {high} runs"


def _facts(tidy: Tidy) -> str:
    found = wording.facts(tidy.machine)
    return "\n".join(f"- {key}: {text}" for key, text in found) if found else "machine.json is missing."
