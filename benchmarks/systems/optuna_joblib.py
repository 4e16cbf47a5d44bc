"""Optuna over several processes as its documentation has it: joblib workers that share a study in a journal file.

A worker runs many trials, so a trial has no process of its own.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import joblib
import optuna
from optuna.storages.journal import JournalFileBackend

from benchmarks.scale import PARALLEL


def optuna_trials(train: Callable[[float], float], trials: int, scratch: Path, parallel: int = PARALLEL) -> None:
    """Run trials of random search over `x`; RuntimeError if one is missing."""
    journal = str(Path(tempfile.mkdtemp(prefix="optuna-", dir=scratch)) / "journal")
    study = optuna.create_study(study_name="bench", storage=_storage(journal))
    shares = [trials // parallel + (worker < trials % parallel) for worker in range(parallel)]
    joblib.Parallel(n_jobs=parallel)(
        joblib.delayed(_work)(train, journal, share, seed) for seed, share in enumerate(shares)
    )
    done = len(study.get_trials(deepcopy=False))
    if done != trials:
        raise RuntimeError(f"Optuna ran {done} of {trials} trials")


def _storage(journal: str) -> optuna.storages.JournalStorage:
    return optuna.storages.JournalStorage(JournalFileBackend(journal))


def _work(train: Callable[[float], float], journal: str, trials: int, seed: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.load_study(study_name="bench", storage=_storage(journal), sampler=sampler)
    study.optimize(lambda trial: train(trial.suggest_float("x", 0.0, 1.0)), n_trials=trials)
