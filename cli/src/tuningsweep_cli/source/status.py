"""A sweep and its progress out of its object: all that is left of one without storage, and enough for `list`."""

from typing import Any

from pydantic import ValidationError

from tuningsweep_api.outcomes import ConditionType, Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_api.trials import OptimalTrial
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.source.base import Progress

_EXPLAINS = {
    Phase.COMPLETE: (ConditionType.COMPLETE,),
    Phase.FAILED: (ConditionType.FAILED,),
    Phase.SUSPENDED: (ConditionType.SUSPENDED,),
    Phase.QUEUED: (ConditionType.STALLED, ConditionType.SUSPENDED),
    Phase.PENDING: (ConditionType.STALLED, ConditionType.RECONCILING),
    Phase.RUNNING: (ConditionType.STALLED,),
}


def sweep_of(manifest: dict[str, Any]) -> TuningSweep:
    """The sweep in an object of the API server; CommandError if this version doesn't know its values."""
    try:
        return TuningSweep.from_stored(manifest)
    except ValidationError as error:
        raise CommandError(
            f"sweep {manifest['metadata']['name']} has values that this command does not know;"
            " use the tuningsweep command of the operator's version"
        ) from error


def status_of(manifest: dict[str, Any]) -> TuningSweepStatus:
    """The status of a sweep's object; CommandError if another version has written it."""
    try:
        return TuningSweepStatus.model_validate(manifest.get("status", {}), extra="ignore")
    except ValidationError as error:
        raise CommandError(
            "the sweep's status is of another version; use the tuningsweep command of the operator's version"
        ) from error


def progress_of(status: TuningSweepStatus) -> Progress:
    """How far a sweep is, as the operator last knew."""
    true = {condition.type: condition for condition in status.conditions if condition.status == "True"}
    found = next((true[kind] for kind in _EXPLAINS[status.phase] if kind in true), None)
    message = "" if found is None else f"{found.reason}: {found.message}"
    return Progress(status.phase, message, status.trials, (), _optimal(status))


def _optimal(status: TuningSweepStatus) -> OptimalTrial | None:
    best = status.current_optimal_trial
    if best is None:
        return None
    metrics = {name: float(value) for name, value in best.metrics.items()}
    return OptimalTrial(
        trial=best.trial, parameters=dict(best.parameters), objective=float(best.objective), metrics=metrics
    )
