"""Conditions of a sweep: a small set that changes its transition time only when a status changes."""

from datetime import datetime
from typing import Final, Literal

from tuningsweep_api.outcomes import ConditionReason, ConditionType
from tuningsweep_api.status import Condition

Truth = Literal["True", "False", "Unknown"]
MESSAGE_LIMIT: Final = 1024
ORDER: Final = tuple(ConditionType)


def timestamp(now: datetime) -> str:
    """RFC 3339 in UTC to the second, as Kubernetes writes times."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


class Conditions:
    """The conditions of one sweep while its status is folded."""

    def __init__(self, previous: list[Condition], generation: int, now: datetime) -> None:
        self._found = {condition.type: condition for condition in previous}
        self._generation = generation
        self._now = now

    def set(self, kind: ConditionType, status: Truth, reason: ConditionReason, message: str) -> None:
        """Set a condition; its transition time stays if its status does."""
        before = self._found.get(kind)
        since = before.last_transition_time if before and before.status == status else timestamp(self._now)
        self._found[kind] = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message[:MESSAGE_LIMIT],
            last_transition_time=since,
            observed_generation=self._generation,
        )

    def clear(self, kind: ConditionType) -> None:
        """Take a condition out: it says nothing any more."""
        self._found.pop(kind, None)

    def holds(self, kind: ConditionType) -> bool:
        """Whether a condition is True."""
        found = self._found.get(kind)
        return found is not None and found.status == "True"

    def reason(self, kind: ConditionType) -> ConditionReason | None:
        """The reason of a condition; None where there is no such condition."""
        found = self._found.get(kind)
        return None if found is None else found.reason

    def list(self) -> list[Condition]:
        """All conditions in a fixed order."""
        return [self._found[kind] for kind in ORDER if kind in self._found]


def condition_holds(conditions: list[Condition], kind: ConditionType) -> bool:
    """Whether a condition in a list is True."""
    return any(condition.type is kind and condition.status == "True" for condition in conditions)
