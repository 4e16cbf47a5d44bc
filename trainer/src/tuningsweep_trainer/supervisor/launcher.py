"""The supervisor's end of the fork server: starts it, asks it for training processes, hears how they ended."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuningsweep_trainer.training.clock import StepClock
from tuningsweep_trainer.training.job import TrainingJob
from tuningsweep_trainer.training.preload import Preload
from tuningsweep_trainer.training.process_tree import kill_descendants

START_SECONDS: Final = 120.0
"""A fork server that has not imported its modules by then is broken."""


class LaunchError(RuntimeError):
    """The fork server could not be started, or died."""


class PreloadFailedError(LaunchError):
    """It could not import a module of `trainable.preload`; says which and why."""


@dataclass(slots=True)
class Launched:
    """A training process that was just started, with the supervisor's ends of its channels."""

    pid: int
    started: float
    """CLOCK_MONOTONIC."""
    reports: int
    """Non-blocking descriptor to read reports from."""
    acknowledgements: int
    """Descriptor to write a byte a report taken to."""
    clock: StepClock

    def close(self) -> None:
        """Close every descriptor."""
        os.close(self.reports)
        os.close(self.acknowledgements)
        self.clock.close()


class Launcher:
    """A fork server, started when first needed and again after it died."""

    def __init__(self, preload: Preload) -> None:
        self._preload = preload
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    @property
    def socket(self) -> socket.socket:
        """The socket on which the server tells of processes that ended."""
        assert self._socket is not None
        return self._socket

    @property
    def server_pid(self) -> int:
        """PID of the fork server: every process of the trial is below it."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server and wait until it has imported its modules; LaunchError, maybe a PreloadFailedError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            sys.executable,
            "-m",
            "tuningsweep_trainer.training.forkserver",
            str(theirs.fileno()),
            self._preload.model_dump_json(by_alias=True),
        ]
        self._server = subprocess.Popen(  # noqa: S603 - our own module
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        self._socket = ours
        self._receive("ready", START_SECONDS)

    def ready(self) -> int:
        """Start the server if it does not live; its PID, below which every process of the trial will be."""
        if self._server is None or self._server.poll() is not None:
            self.stop()
            self.start()
        return self.server_pid

    def launch(self, job: TrainingJob, log: Path) -> Launched:
        """Start a training process for `job`, its output appended to the file `log`."""
        self.ready()
        reports_read, reports_write = os.pipe()
        acknowledgements_read, acknowledgements_write = os.pipe()
        clock = StepClock.create()
        handed_over = [_job_file(job), reports_write, acknowledgements_read, clock, _open_log(log)]
        try:
            started = time.monotonic()
            socket.send_fds(self.socket, [b"fork"], handed_over)
            pid = self._receive("started", START_SECONDS)
            ours = StepClock(clock)
        except OSError as error:
            raise LaunchError(f"the fork server does not answer: {error}") from error
        finally:
            for descriptor in handed_over:
                os.close(descriptor)
        os.set_blocking(reports_read, False)
        return Launched(pid, started, reports_read, acknowledgements_write, ours)

    def kill_trial(self) -> bool:
        """Kill every process below the fork server at once; True if none is left."""
        return self._server is None or kill_descendants(self._server.pid)

    def ended(self, pid: int) -> int | None:
        """Exit status of the training process `pid` if the server has told of it (negative: signal), else None."""
        while select.select([self.socket], [], [], 0)[0]:
            message = self._next_message()
            if message.get("ended") == pid:
                return int(message["status"])
        return None

    def stop(self) -> None:
        """End the server and everything below it."""
        if self._server is None:
            return
        self.kill_trial()
        if self._socket is not None:
            self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._server.wait(timeout=2)
        if self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        self._server, self._socket = None, None

    def _receive(self, kind: str, seconds: float) -> int:
        """Wait for a message of a kind; messages about processes that ended before are passed over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.socket], [], [], 0.5)[0]:
                message = self._next_message()
                if kind in message:
                    return int(message[kind])
                if "preload" in message:
                    raise PreloadFailedError(str(message["preload"]))
        raise LaunchError(f"the fork server said nothing for {seconds:g} s")

    def _next_message(self) -> dict[str, int | str]:
        content = self.socket.recv(4096)
        if not content:
            status = None if self._server is None else self._server.poll()
            raise LaunchError(f"the fork server is gone (status {status})")
        message: dict[str, int | str] = json.loads(content)
        return message


def _job_file(job: TrainingJob) -> int:
    descriptor = os.memfd_create("tuningsweep-job")
    rest = memoryview(job.model_dump_json(by_alias=True).encode())
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
