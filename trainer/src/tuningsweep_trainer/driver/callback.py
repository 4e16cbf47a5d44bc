"""Tune's callback: tells the book what Tune does with trials."""

from typing import Any

from ray import tune

from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.supervisor.result import RESULT_KEY, TrialResult


def result_of(tune_result: dict[str, Any] | None) -> TrialResult | None:
    """What the supervisor said beside the metrics, if the trial has a result."""
    text = (tune_result or {}).get(RESULT_KEY)
    return None if text is None else TrialResult.model_validate_json(text)


class BookKeeper(tune.Callback):
    """Translates Tune's events; decides nothing."""

    def __init__(self, book: Book, *, may_pause: bool) -> None:
        self._book = book
        self._may_pause = may_pause

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings so that it could restore from them; the ledger is what we restore from."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:  # noqa: ARG002
        """A trial starts or goes on."""
        self._book.started(trial.trial_id, trial.config["parameters"])

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:  # noqa: ARG002
        """A trial reported; its last result is handled when Tune is done with it."""
        said = result_of(result)
        if said is not None and said.outcome is None:
            self._book.reported(trial.trial_id, said, int(result.get("step", 0)))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:  # noqa: ARG002
        """Tune is done with a trial."""
        self._book.ended(trial.trial_id, trial.config["parameters"], result_of(trial.last_result))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:  # noqa: ARG002
        """A trial's supervisor died, and it is tried again."""
        self._book.lost(trial.trial_id)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:  # noqa: ARG002
        """A trial's supervisor died more often than is tried again."""
        lines = str(trial.get_pickled_error() or "its supervisor died").strip().splitlines()
        self._book.failed(trial.trial_id, f"its supervisor failed repeatedly: {lines[-1][:500]}")

    def on_step_end(self, iteration: int, trials: list[Any], **_: Any) -> None:  # noqa: ARG002
        """Look for paused trials, where the scheduler pauses any, and for ended ones, which leave Tune's list.

        Tune would keep them all, look at each again and again, and make a table of each in the end. One stays: of an empty
        list it would think that it was not told.
        """
        ended = [trial for trial in trials[:-1] if trial.is_finished()]
        for trial in ended:
            trial.shrink()
            trials.remove(trial)
        if self._may_pause:
            for trial in trials:
                if trial.status == "PAUSED":
                    self._book.paused(trial.trial_id)
