"""An embedded Ray that does not come up in its 30 seconds is started again, and nothing of the first attempt stays."""

import json
import os
import subprocess
import sys
from typing import Any

import psutil
import pytest
import ray
from ray._private.runtime_env.constants import RAY_JOB_CONFIG_JSON_ENV_VAR

from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.ray_session import RayStartError, keep_job_environment, ray_session

LATE = "The current node timed out during startup."


class SlowRay:
    """`ray.init` that leaves a process behind and gives up, the first so many times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.left: list[subprocess.Popen[bytes]] = []
        self.given: list[dict[str, Any]] = []

    def __call__(self, **given: Any) -> None:
        self.given.append(given)
        if len(self.given) <= self.failures:
            self.left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
            raise Exception(LATE)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> DriverOptions:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    return DriverOptions(results="/nowhere")


def test_a_ray_that_starts_late_is_started_again(options: DriverOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowRay(failures=2)
    monkeypatch.setattr(ray, "init", slow)
    with ray_session(options):
        assert len(slow.given) == 3
        # Without it, Ray would look for the one that has just been ended.
        assert {given["address"] for given in slow.given} == {"local"}
        assert not any(psutil.pid_exists(process.pid) for process in slow.left)


def test_a_ray_that_never_starts_is_given_up(options: DriverOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowRay(failures=9)
    monkeypatch.setattr(ray, "init", slow)
    with pytest.raises(RayStartError, match=r"in 3 attempts \(load \d+ on \d+ CPUs\).*timed out"), ray_session(options):
        pass
    assert not any(psutil.pid_exists(process.pid) for process in slow.left)


def test_the_job_s_environment_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"runtime_env": {"env_vars": {"A": "1"}, "config": {"x": 1}}, "metadata": {"job_submission_id": "id"}}
    monkeypatch.setenv(RAY_JOB_CONFIG_JSON_ENV_VAR, json.dumps(job))
    keep_job_environment()
    kept = {"runtime_env": {"config": {"x": 1}}, "metadata": {"job_submission_id": "id"}}
    assert json.loads(os.environ[RAY_JOB_CONFIG_JSON_ENV_VAR]) == kept
    keep_job_environment()
    assert json.loads(os.environ[RAY_JOB_CONFIG_JSON_ENV_VAR]) == kept


def test_a_driver_that_nobody_submitted_has_none_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RAY_JOB_CONFIG_JSON_ENV_VAR, raising=False)
    keep_job_environment()
    assert RAY_JOB_CONFIG_JSON_ENV_VAR not in os.environ
