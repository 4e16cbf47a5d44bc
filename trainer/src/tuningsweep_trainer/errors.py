"""Errors that end a whole sweep; the driver turns one into the sweep's Failed condition.

The reason is the condition's reason, the message its sentence: it names the field of the spec and what to write instead.
Both kinds cross Ray's process boundaries, so both can be pickled.
"""

from tuningsweep_api.outcomes import ConditionReason


class SweepError(Exception):
    """A sweep cannot go on; `reason` and the message are what its Failed condition says."""

    def __init__(self, reason: ConditionReason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class DatasetError(SweepError):
    """The rows of `spec.trainable.builtin.dataset` cannot be had, or cannot be trained on."""

    def __init__(self, message: str) -> None:
        super().__init__(ConditionReason.DATASET_UNAVAILABLE, message)

    def __reduce__(self) -> tuple[type["DatasetError"], tuple[str]]:
        return DatasetError, (self.message,)
