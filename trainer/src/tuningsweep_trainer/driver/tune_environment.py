"""What Tune tells its actors of the driver's environment; called by run.py before there is a Tuner."""

from typing import Final

from ray.tune.execution import class_cache

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"}


def keep_credentials() -> None:
    """Copy no keys of object storage into the actors' runtime environment, which Ray writes to its logs on every node.

    Workers have them as the driver does: from the Secret, or from the process that started Ray. Tune has no option for
    this; that the keys are in no log is what tests hold it to.
    """
    class_cache.ENV_VARS_TO_PROPAGATE.difference_update(CREDENTIALS)
