"""The WebSocket that port-forward and exec go through, with a bound on silence.

Used by `cluster.py`, the one that knows Kubernetes.
"""

from typing import Any

from websocket import WebSocket, WebSocketConnectionClosedException, WebSocketTimeoutException

from tuningsweep_cli.forwarding import ANSWER_SECONDS


class BoundedWebSocket(WebSocket):
    """Gives up when nothing comes for ANSWER_SECONDS while it connects (also TLS and the upgrade) or in mid-frame.

    Silence between frames is not its matter: who reads polls first, and has a bound of their own.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.settimeout(ANSWER_SECONDS)

    def recv_data_frame(self, control_frame: bool = False) -> tuple[int, Any]:
        """The next frame; WebSocketConnectionClosedException if it is not complete in time.

        Not the timeout itself: the thread of a port-forward would die of that with a traceback in the user's terminal.
        """
        try:
            opcode, frame = super().recv_data_frame(control_frame)
        except WebSocketTimeoutException as error:
            self.shutdown()  # type: ignore[no-untyped-call]
            raise WebSocketConnectionClosedException(f"nothing came for {ANSWER_SECONDS:g} s") from error
        return opcode, frame
