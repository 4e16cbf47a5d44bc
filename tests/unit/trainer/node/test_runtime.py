"""The files of a node."""

import os
from pathlib import Path

import pytest

from support.full_disk import FullDisk
from tuningsweep_api.messages import DesiredState
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.runtime import ORDERS_BYTES, Orders, RuntimeFolder, TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes, StepTimeTally


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


def test_orders_get_through_while_there_is_no_room_for_anything_else(
    folder: RuntimeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(folder.path, monkeypatch)
    folder.write_orders(orders(1))
    disk.fill()
    for revision in range(2, 30):
        many = orders(revision).model_copy(update={"released": ["0" * 32] * revision})
        folder.write_orders(many)
        assert folder.read_orders() == many
        with pytest.raises(OSError, match="No space left"):
            folder.write_status(status("t-0", os.getpid()))


def test_orders_whose_room_was_taken_are_refused_until_there_is_some(
    folder: RuntimeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(folder.path, monkeypatch)
    folder.write_orders(orders(1))
    disk.room = disk.used - 2 * ORDERS_BYTES
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            folder.write_orders(orders(2))
        assert folder.read_orders() == orders(1)
    disk.room = float("inf")
    folder.write_orders(orders(2))
    disk.fill()
    folder.write_orders(orders(3))
    assert folder.read_orders() == orders(3)


def test_what_dead_supervisors_left_is_passed_over(folder: RuntimeFolder) -> None:
    mine, dead = status("t-0", os.getpid()), status("t-1", 2**22 + 1)
    folder.write_status(mine)
    folder.write_status(dead)
    assert folder.statuses() == [mine]
    folder.clear_status(os.getpid())
    assert folder.statuses() == []


def test_step_times_of_dead_supervisors_still_count(folder: RuntimeFolder) -> None:
    assert folder.step_times() == StepTimes()
    for supervisor, steps in ((os.getpid(), 2), (2**22 + 1, 3)):
        tally = StepTimeTally(folder.step_times_of(supervisor))
        tally.take(steps, 0.2)
        folder.write_step_times(supervisor, tally.total())
    assert sum(folder.step_times().counts) == 5
    assert sum(folder.step_times_of(os.getpid()).counts) == 2
