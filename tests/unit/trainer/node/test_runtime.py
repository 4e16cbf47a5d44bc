"""The files of a node, and the metrics made of them."""

import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tuningsweep_api.messages import DesiredState
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.exporter import TrialCollector
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder, TrialStatus


@pytest.fixture
def folder(tmp_path: Path) -> RuntimeFolder:
    runtime = RuntimeFolder(tmp_path / "node")
    runtime.make()
    return runtime


def status(trial: str, supervisor: int, **fields: object) -> TrialStatus:
    common = {"trial": trial, "process": "p", "supervisor_pid": supervisor, "pid": 1, "memory": 5, "steps": 3}
    return TrialStatus.model_validate({**common, **fields})


def orders(revision: int) -> Orders:
    desired = DesiredState(limits=Limits(), parallel_trial_count=1, max_trial_count=1, max_failed_trial_count=0)
    return Orders(revision=revision, desired=desired)


def test_orders_are_replaced_whole_and_noticed(folder: RuntimeFolder) -> None:
    assert folder.read_orders() is None
    versions = [folder.orders_version()]
    for revision in (1, 2):
        folder.write_orders(orders(revision))
        versions.append(folder.orders_version())
    assert len(set(versions)) == 3
    assert folder.read_orders() == orders(2)


def test_what_dead_supervisors_left_is_passed_over(folder: RuntimeFolder) -> None:
    mine, dead = status("t-0", os.getpid()), status("t-1", 2**22 + 1)
    folder.write_status(mine)
    folder.write_status(dead)
    assert folder.statuses() == [mine]
    folder.clear_status(os.getpid())
    assert folder.statuses() == []


def test_metrics_of_a_running_trial_and_their_end() -> None:
    statuses = [status("t-0", 1, memory_limit=9, mean_step_time=0.5, cpu_percent=150.0, objective=0.25)]
    registry = CollectorRegistry()
    registry.register(TrialCollector("ns", "s", lambda: statuses, lambda: {"Succeeded": 4}))
    printed = generate_latest(registry).decode()
    labels = '{namespace="ns",sweep="s",trial="t-0"}'
    for line in (
        f"tuningsweep_trial_memory_bytes{labels} 5.0",
        f"tuningsweep_trial_memory_limit_bytes{labels} 9.0",
        f"tuningsweep_trial_mean_step_time_seconds{labels} 0.5",
        f"tuningsweep_trial_step_in_flight_seconds{labels} 0.0",
        f"tuningsweep_trial_steps_total{labels} 3.0",
        f"tuningsweep_trial_cpu_ratio{labels} 1.5",
        f"tuningsweep_trial_objective{labels} 0.25",
        'tuningsweep_trials{namespace="ns",outcome="Succeeded",sweep="s"} 4.0',
    ):
        assert line in printed, line
    statuses.clear()
    assert "t-0" not in generate_latest(registry).decode()
