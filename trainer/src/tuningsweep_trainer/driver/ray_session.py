"""The driver's connection to Ray: a cluster's, or one embedded in this process for the length of a block.

Called by run.py for a sweep, and by the reproduction around many, which spares each of them the start of a Ray.
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import ray
from ray._private.runtime_env.constants import RAY_JOB_CONFIG_JSON_ENV_VAR

from tuningsweep_trainer.driver.options import DriverOptions

ENVIRONMENT = {
    "RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper": "true",
    # Short of memory, Ray would kill a supervisor; without that the kernel kills a training process, its first victim.
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "1000",
    "RAY_AIR_NEW_OUTPUT": "0",
}
OBJECT_STORE_BYTES = 100 << 20
STARTS = 3
"""Times an embedded Ray is started: it gives up by itself after 30 s, which a busy machine can need."""

log = logging.getLogger(__name__)


class RayStartError(Exception):
    """No Ray could be started on this machine; the message says what it was busy with."""


@contextmanager
def ray_session(options: DriverOptions) -> Iterator[None]:
    """A connection to Ray: the one this process has, a cluster's, or one embedded for the length of the block.

    RayStartError if none could be embedded.
    """
    os.environ.update({key: value for key, value in ENVIRONMENT.items() if key not in os.environ})
    if ray.is_initialized():
        yield
        return
    common: dict[str, Any] = {
        "log_to_driver": options.log_to_driver,
        "logging_level": logging.WARNING,
        "configure_logging": False,
    }
    if options.ray_address is not None:
        keep_job_environment()
        ray.init(address=options.ray_address, **common)
    else:
        os.environ.update(options.extra_environment)
        _embed(
            include_dashboard=False, _temp_dir=options.ray_temp_dir, object_store_memory=OBJECT_STORE_BYTES, **common
        )
    try:
        yield
    finally:
        ray.shutdown()
        heed_children()


def keep_job_environment() -> None:
    """Keep the environment variables of the submitted job from the workers that Ray starts for this driver.

    They are for the process that waits for the driver (the operator's builders.ray_job). A worker that should have them can't
    be one that its node has ready: each would be started anew, by way of a second Python.
    """
    told = os.environ.get(RAY_JOB_CONFIG_JSON_ENV_VAR)
    if told is not None:
        config = json.loads(told)
        (config.get("runtime_env") or {}).pop("env_vars", None)
        os.environ[RAY_JOB_CONFIG_JSON_ENV_VAR] = json.dumps(config)


def heed_children() -> None:
    """Undo what Ray did to a driver's SIGCHLD, in the main thread, where Python lets one.

    With subreapers on, Ray ignores the signal, so that orphans leave no zombies; the exit status of every program that is
    started in such a process reads as 0. So this is for afterwards.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _embed(**settings: Any) -> None:
    """Start a Ray of our own, again if it did not come up; RayStartError when that was of no use."""
    before = _children()
    for attempt in range(1, STARTS + 1):
        try:
            ray.init(address="local", **settings)
        except Exception as error:  # Ray raises no narrower class
            _end(_children() - before)
            heed_children()
            load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} CPUs"
            log.warning("Ray did not start (%d of %d, %s): %s", attempt, STARTS, load, error)
            if attempt == STARTS:
                raise RayStartError(
                    f"Ray did not start in {STARTS} attempts ({load}); when the machine is less busy, run it again: {error}"
                ) from error
        else:
            return


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _end(processes: set[psutil.Process]) -> None:
    """Kill what a start that failed has left running."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(list(processes), timeout=5)
