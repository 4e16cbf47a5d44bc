"""A driver's own control API over real sockets on loopback, with a conductor that says what the test wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from support.sweeps import BASE
from tuningsweep_api.messages import DesiredState, SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.access import ControlAccess
from tuningsweep_operator.builders.secret import build_secret
from tuningsweep_operator.certificates import KeyPair
from tuningsweep_trainer.driver.__main__ import control_options
from tuningsweep_trainer.driver.control import ControlServer
from tuningsweep_trainer.driver.options import ControlOptions

SWEEP = TuningSweep.from_manifest(BASE)
STATE = SweepState.model_validate(
    {"sweepUid": "u", "driverId": "d", "startTime": "", "desiredDigest": "x", "trials": {"total": 7}}
)


class Conductor:
    """A driver's state, and who has asked for it."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.now = STATE
        self.after_turn: Callable[[], None] = lambda: None

    def state(self) -> SweepState:
        self.asked.append("state")
        return self.now

    def edit(self, desired: DesiredState, digest: str) -> None:
        self.asked.append(desired)
        self.now = self.now.model_copy(update={"desired_digest": digest})

    def keep(self) -> SweepState:
        return self.now

    def turn(self, **changes: object) -> None:
        """Something has happened, and a turn has gone by."""
        self.now = self.now.model_copy(update=changes)
        self.after_turn()


def mounted(folder: Path, pair: KeyPair | None) -> ControlOptions:
    """The options that the driver finds in its mounted Secret, on loopback."""
    (folder / "token").write_text("the-token\n")
    if pair is not None:
        (folder / "tls.crt").write_text(pair.certificate)
        (folder / "tls.key").write_text(pair.private_key)
    found = control_options(folder / "token")
    return ControlOptions(found.token, found.certificate, found.private_key, host="127.0.0.1", port=0)


@contextmanager
def serving(options: ControlOptions) -> Iterator[tuple[str, Conductor]]:
    """Address of a driver's control API, and the state behind it."""
    conductor = Conductor()
    server = ControlServer(cast("Any", conductor), cast("Any", None), cast("Any", None), options)
    server.start()
    try:
        yield f"127.0.0.1:{server.port}", conductor
    finally:
        server.stop()


def access_to(pair: KeyPair, token: str = "the-token") -> ControlAccess:
    access = ControlAccess.from_secret(build_secret(SWEEP, token, pair))
    assert access is not None
    return access
