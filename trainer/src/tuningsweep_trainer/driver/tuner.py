"""Puts together what Tune needs to run the trials of a book."""

from collections.abc import Mapping
from typing import Final

from ray import tune

from tuningsweep_trainer.driver.book import Book
from tuningsweep_trainer.driver.callback import BookKeeper
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.driver.schedulers import PAUSING, make_scheduler
from tuningsweep_trainer.driver.search import SweepSearch, SweepStopper
from tuningsweep_trainer.supervisor.supervisor import Supervisor

SUPERVISOR_RETRIES: Final = 3
"""Times in a row that a trial is tried again after its supervisor or its node died; from the start after any progress."""


def make_tuner(context: SweepContext, book: Book, resources: Mapping[str, float]) -> tune.Tuner:
    """A tuner for one run; `resources` of each trial are named as in `ray.remote`."""
    spec = context.sweep.spec
    of_tune = {key.removeprefix("num_").removesuffix("s"): value for key, value in resources.items()}
    trainable = tune.with_parameters(Supervisor, context_json=context.model_dump_json(by_alias=True))
    return tune.Tuner(
        tune.with_resources(trainable, of_tune),
        tune_config=tune.TuneConfig(
            metric=spec.objective.objective_metric_name,
            mode=spec.objective.type.value[:3],
            scheduler=make_scheduler(spec, lambda: book.most_active),
            search_alg=SweepSearch(book),
            num_samples=1,
            reuse_actors=True,
            trial_name_creator=str,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name=context.run_id,
            storage_path=f"{context.results}/tune",
            failure_config=tune.FailureConfig(max_failures=SUPERVISOR_RETRIES),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, num_to_keep=4),
            stop=SweepStopper(book),
            callbacks=[BookKeeper(book, may_pause=spec.scheduler.type in PAUSING)],
            verbose=0,
        ),
    )
