"""What only running can tell, tried once before the first trial and where trials run: data, trainable, limits, storage.

Each failure is a SweepError whose reason becomes the Failed condition, in seconds, instead of as many failed trials.
"""

import select
import shutil
import time
from dataclasses import dataclass
from typing import Any, Final

import ray

from tuningsweep_api.outcomes import ConditionReason
from tuningsweep_api.spec.trainable import Trainable
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.errors import SweepError
from tuningsweep_trainer.node.access import find_node
from tuningsweep_trainer.results.store import open_store
from tuningsweep_trainer.supervisor.errors import GpuError
from tuningsweep_trainer.supervisor.launcher import Launcher, LaunchError, PreloadFailedError
from tuningsweep_trainer.supervisor.sampler import TreeSampler
from tuningsweep_trainer.training.wire import MessageReader

PROBE: Final = ".preflight"
REHEARSAL_SECONDS: Final = 120.0
HEADROOM_BYTES: Final = 16 << 20
"""Suggested above the floor, so that the suggestion leaves a trial room for its first batch."""
SLOW_LOAD_SECONDS: Final = 1.0
"""Of a trainable, in every trial: from here on the log says how to do it once."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A training process with its trainable loaded, before its first step."""

    memory: int
    """Bytes."""
    load_seconds: float
    """What loading took."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a node has found out."""

    refusal: tuple[str, str] | None = None
    """Reason and message of what is wrong."""
    load_seconds: float = 0.0


def write_probe(context: SweepContext) -> None:
    """From the driver: write what the node of the trials must be able to read."""
    try:
        open_store(context.results).write(PROBE, context.run_id.encode())
    except OSError as error:
        raise storage_trouble(context.results, f"the driver can't write to {context.results}: {error}") from error


def check_on_node(context_json: str) -> Tried:
    """Everything else, as a Ray task on a node where trials run."""
    context = SweepContext.model_validate_json(context_json)
    try:
        _check_storage(context)
        _check_command(context)
        check_gpu_limit(context)
        rehearsed = rehearse(context, find_node(context).prepare_data())
        _check_floor(context, rehearsed.memory)
    except SweepError as error:
        return Tried((error.reason.value, error.message))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SweepError):
            return Tried((error.cause.reason.value, error.cause.message))
        raise
    return Tried(load_seconds=rehearsed.load_seconds)


def advice_on_loading(trainable: Trainable, seconds: float) -> str | None:
    """How to load a user's function faster than every trial does by itself; None if that is not worth a word."""
    if trainable.function is None or seconds < SLOW_LOAD_SECONDS:
        return None
    module = trainable.function.partition(":")[0]
    return (
        f"loading trainable.function {trainable.function!r} takes {seconds:.1f} s, in every trial; with trainable.preload:"
        f" [{module}], or with those of its imports that are slow, it is done once for each trial that runs at a time"
    )


def storage_trouble(results: str, message: str) -> SweepError:
    """StorageUnavailable, with what to look at for results of this kind."""
    afar = "://" in results and not results.startswith("file://")
    advice = (
        "check storage.uri, storage.endpoint and the keys in the Secret of storage.credentialsSecret"
        if afar
        else "head and workers must mount the same storage, writable for user 65532"
    )
    return SweepError(ConditionReason.STORAGE_UNAVAILABLE, f"{message}; {advice}")


def _check_storage(context: SweepContext) -> None:
    store = open_store(context.results)
    found = store.read(PROBE)
    if found is None or found.decode() != context.run_id:
        message = f"{context.results} is not the same on the driver's node and on the trials' nodes"
        raise storage_trouble(context.results, message)
    try:
        store.write(f"{PROBE}-node", b"")
        store.delete(f"{PROBE}-node")
    except OSError as error:
        raise storage_trouble(context.results, f"trials can't write to {context.results}: {error}") from error


def _check_command(context: SweepContext) -> None:
    command = context.sweep.spec.trainable.command
    if command is not None and shutil.which(command[0]) is None:
        message = (
            f"trainable.command: {command[0]!r} is not a program in the image; build it in, or write its full path"
        )
        raise SweepError(ConditionReason.TRAINABLE_UNAVAILABLE, message)


def check_gpu_limit(context: SweepContext) -> None:
    """SweepError if GPU memory is limited and can't be measured on this node."""
    if context.sweep.spec.limits.gpu_memory is None:
        return
    from tuningsweep_trainer.supervisor.gpu import check_gpus  # NVML, for a limit that few sweeps have

    try:
        check_gpus()
    except GpuError as error:
        message = (
            f"limits.gpuMemory is set, and GPU memory can't be measured where trials run. {error}. Give trials a GPU"
            " (cluster.resourcesPerTrial.gpu) on nodes with NVIDIA's driver, or leave the limit out"
        )
        raise SweepError(ConditionReason.GPU_UNREADABLE, message) from error


def rehearse(context: SweepContext, data: dict[str, Any] | None) -> Rehearsed:
    """Start a training process as a trial would, and end it before its first step."""
    launcher = Launcher(context.preload)
    try:
        job = context.job("preflight", {}, rehearsal=True, data=data)
        launched = launcher.launch(job, context.log_file("preflight"))
        reader, deadline = MessageReader(launched.reports), time.monotonic() + REHEARSAL_SECONDS
        while time.monotonic() < deadline:
            select.select([launched.reports], [], [], 0.2)
            for message in reader.read():
                if message["kind"] == "ready":
                    memory = TreeSampler(launcher.server_pid).memory(time.monotonic())
                    return Rehearsed(memory, float(message["seconds"]))
                _refuse_trainable(context, str(message.get("message", "")))
            if launcher.ended(launched.pid) is not None:
                _refuse_trainable(context, "its process died while loading it")
        _refuse_trainable(context, f"loading it takes longer than {REHEARSAL_SECONDS:g} s")
    except PreloadFailedError as error:
        advice = "have it in the image, or take it out: then each trial imports what it needs"
        raise SweepError(ConditionReason.TRAINABLE_UNAVAILABLE, f"trainable.preload {error}; {advice}") from error
    except LaunchError as error:
        raise SweepError(ConditionReason.DRIVER_FAILED, f"no training process can be started: {error}") from error
    finally:
        launcher.stop()
    raise AssertionError("unreachable")


def _refuse_trainable(context: SweepContext, why: str) -> None:
    trainable = context.sweep.spec.trainable
    name = f"trainable.function {trainable.function!r}" if trainable.function else "trainable"
    raise SweepError(ConditionReason.TRAINABLE_UNAVAILABLE, f"{name} can't be loaded: {why}")


def _check_floor(context: SweepContext, floor: int) -> None:
    limit = context.sweep.spec.limits.memory_bytes
    if limit is not None and limit < floor:
        least = (floor + HEADROOM_BYTES) >> 20
        message = (
            f"limits.memory {context.sweep.spec.limits.memory} is below the {floor >> 20}Mi that a training process"
            f" needs before its first step; write at least {least}Mi"
        )
        raise SweepError(ConditionReason.LIMIT_BELOW_FLOOR, message)
