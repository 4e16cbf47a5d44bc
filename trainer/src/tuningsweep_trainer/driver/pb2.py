"""Population based bandits, apart from the other schedulers: Tune's are built on scikit-learn, a second's import for a driver
that has no other use for it. Imported by schedulers.py for the sweeps that ask for it."""

from ray.tune.schedulers.pb2 import PB2

from tuningsweep_trainer.driver.schedulers import Bounded, KeepsTrial


class BoundedPB2(KeepsTrial, Bounded, PB2):
    """Population based bandits within parallelTrialCount."""
