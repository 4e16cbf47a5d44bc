"""The status of a sweep whose spec an older API server or CRD let through and the offline validation refuses. Pure."""

from collections.abc import Sequence
from datetime import datetime

from tuningsweep_api.outcomes import ConditionReason, ConditionType, Phase
from tuningsweep_api.status import TuningSweepStatus
from tuningsweep_operator.status.conditions import Conditions, timestamp
from tuningsweep_operator.status.fold import Ending, finish


def refuse(
    status: TuningSweepStatus, sentences: Sequence[str], generation: int, now: datetime, *, runs: bool
) -> TuningSweepStatus:
    """The status with the sentences of the validation: Failed, or Stalled if trials run.

    What runs, or waits in its queue, is left to, for an earlier release has let it; but no edit of it can be followed.
    """
    sentence = "; ".join(sentences)
    conditions = Conditions(status.conditions, generation, now)
    changes: dict[str, object] = {"observed_generation": generation}
    if runs:
        message = f"{sentence}; what runs or waits in a queue goes on, and no edit of it takes effect"
        conditions.set(ConditionType.STALLED, "True", ConditionReason.INVALID_SPEC, message)
    else:
        finish(conditions, Ending(ConditionType.FAILED, ConditionReason.INVALID_SPEC, sentence))
        changes |= {"phase": Phase.FAILED, "completion_time": timestamp(now)}
    return status.model_copy(update=changes | {"conditions": conditions.list()})
