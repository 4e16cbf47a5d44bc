"""`report`: the one way of metrics and checkpoints out of a user's training code."""

import os
from collections.abc import Mapping

from tuningsweep_trainer.training.session import current


def report(metrics: Mapping[str, object], checkpoint: str | os.PathLike[str] | None = None) -> None:
    """Report metrics and, optionally, a checkpoint.

    `metrics` maps names to finite numbers (anything float() takes); TypeError or ValueError names the one that is not.
    `checkpoint` is a folder: its content is copied before the call returns, so the folder may be reused at once. A trial
    that is paused, or interrupted by a crash, goes on from the last one; without any it starts again.
    """
    current().report(metrics, checkpoint)
