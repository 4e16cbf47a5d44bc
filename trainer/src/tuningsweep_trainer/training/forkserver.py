"""The fork server: a small single-threaded process from which the training processes of one supervisor are forked.

Started by `supervisor.launcher` as `python -m tuningsweep_trainer.training.forkserver SOCKET PRELOAD`. It imports what
training processes need once, so that each starts in milliseconds with a fresh PID. Whatever a training process leaves
behind, daemons included, becomes its child (PR_SET_CHILD_SUBREAPER), so that all of a trial's processes can be found
below it. When its supervisor dies, the socket closes, and it kills everything below it and ends.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Final

from tuningsweep_trainer.training import linux
from tuningsweep_trainer.training.preload import Preload, PreloadError
from tuningsweep_trainer.training.process_tree import kill_descendants

MAX_REQUEST_BYTES: Final = 1 << 16
DESCRIPTORS: Final = ("job", "reports", "acknowledgements", "clock", "log")
"""What comes with a request, in this order."""


class ForkServer:
    """Forks training processes on request and reports how each ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._pid = os.getpid()
        self._running: set[int] = set()

    def serve(self) -> None:
        """Work until the supervisor's end of the socket is closed, then kill everything below this process."""
        wakeup_read, wakeup_write = os.pipe()
        os.set_blocking(wakeup_write, False)
        os.set_blocking(wakeup_read, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._socket.fileno(), wakeup_read], [], [])
            if wakeup_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wakeup_read, 4096)
                self._reap()
            if self._socket.fileno() in ready and not self._answer():
                break
        kill_descendants(os.getpid())

    def _answer(self) -> bool:
        """Fork one training process; False once the supervisor is gone."""
        try:
            request, descriptors, _, _ = socket.recv_fds(self._socket, MAX_REQUEST_BYTES, len(DESCRIPTORS))
        except ConnectionError:
            return False
        if not request:
            return False
        pid = os.fork()
        if pid == 0:
            self._become_training_process(descriptors)
        self._running.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        self._tell({"started": pid})
        return True

    def _become_training_process(self, descriptors: list[int]) -> None:
        """In the child: leave the server's state behind and run the job; never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._socket.close()
            linux.die_with_parent(self._pid)
            from tuningsweep_trainer.training.process import run

            run(dict(zip(DESCRIPTORS, descriptors, strict=True)))
        finally:
            os._exit(70)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._running:
                self._running.discard(pid)
                self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, int]) -> None:
        # The supervisor may be gone already; serve() notices by itself.
        with contextlib.suppress(ConnectionError):
            self._socket.send(json.dumps(message).encode())


def main(arguments: list[str]) -> None:
    """Serve on the socket whose descriptor is the first argument, with the second as a Preload in JSON."""
    connection = socket.socket(fileno=int(arguments[0]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.become_subreaper()
    try:
        Preload.model_validate_json(arguments[1]).run()
    except PreloadError as error:
        traceback.print_exc()
        connection.send(json.dumps({"preload": str(error)}).encode())
        os._exit(1)  # it may have left threads behind that would be waited for
    connection.send(json.dumps({"ready": os.getpid()}).encode())
    ForkServer(connection).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
