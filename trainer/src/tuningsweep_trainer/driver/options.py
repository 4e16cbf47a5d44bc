"""How a sweep is run, apart from what its manifest says: the cluster's driver and `tuningsweep run` differ in this alone."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tuningsweep_api.messages import SweepState
from tuningsweep_trainer.driver.listeners import TrialListener
from tuningsweep_trainer.errors import SweepError


@dataclass(frozen=True, slots=True)
class ControlOptions:
    """The control API that the operator talks to."""

    token: str
    """Bearer token."""
    certificate: str | None = None
    """File with certificate and file with private key (PEM) to serve with; without them plain HTTP."""
    private_key: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - the head service forwards to the pod's address
    port: int = 8090
    """0 takes a free one."""
    acknowledge_seconds: float = 900.0
    """How long the driver waits at the end for the operator to have stored the final state."""


@dataclass(frozen=True, slots=True)
class DriverOptions:
    """Options of `run_sweep`."""

    results: str
    """Folder (path or URI) of this sweep's results."""
    control: ControlOptions | None = None
    """Serve the control API; without it nobody edits the sweep while it runs."""
    metrics_port: int | None = None
    """Prometheus port on every node; 0 a free one, None none."""
    local: bool = True
    """Use this machine: trials take next to no Ray resources, parallelTrialCount alone bounds them."""
    ray_address: str | None = None
    """Cluster to join (`auto` for the one this process runs in); None starts one for the sweep, or uses the connection
    that this process has already."""
    ray_temp_dir: str | None = None
    """Where an embedded Ray keeps its files."""
    python_path: Sequence[str] = ()
    """Folders from which users' modules may be imported as well."""
    listeners: Sequence[TrialListener] = ()
    """Told of what happens to trials."""
    on_state: Callable[[SweepState], None] | None = None
    """Called about once a second, and at the end, with the sweep's state."""
    handle_signals: bool = True
    """End cleanly on SIGINT and SIGTERM (only possible in the main thread)."""
    leave_now: threading.Event = field(default_factory=threading.Event)
    """Set by a second Ctrl-C, or by one after the last trial: listeners are not to wait for anybody any more."""
    deadline_seconds: float | None = None
    """End the sweep after this long; for runs that no operator watches."""
    log_to_driver: bool = True
    """Show the output of Ray's processes in this one."""
    refusal: SweepError | None = None
    """Why the sweep can't be run at all: it becomes its result, and nothing runs."""
    preflight: bool = True
    """Try data, trainable, storage and limits before the first trial."""
    extra_environment: dict[str, str] = field(default_factory=dict)
    """Environment variables for an embedded Ray's processes."""
