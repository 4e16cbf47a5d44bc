"""Training functions for the engine's tests, beside the hostile ones of support.trainables."""

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from tuningsweep import report, step


def stepping(parameters: dict[str, Any], checkpoint: Path | None = None) -> None:
    """Forty steps with a report and a checkpoint every four; the objective falls towards `x`."""
    done = 0 if checkpoint is None else int((checkpoint / "steps").read_text())
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    for _ in step(range(done, 40)):
        done += 1
        time.sleep(0.002)
        if done % 4 == 0:
            (folder / "steps").write_text(str(done))
            report({"loss": float(parameters["x"]) + 1 / done, "seen": done}, checkpoint=folder)


def brief(parameters: dict[str, Any]) -> None:
    """One report, at once."""
    report({"loss": float(parameters["x"])})


def forgetful(parameters: dict[str, Any]) -> None:
    """Forty steps without a checkpoint."""
    for number in step(range(40)):
        time.sleep(0.002)
        report({"loss": float(parameters["x"]) + 1 / (number + 1)})


def imports(parameters: dict[str, Any]) -> None:
    """Reports which process imported the module `slowly_imported`, which one this is, and what it draws by chance."""
    import numpy
    import slowly_imported

    drawn = float(numpy.random.random())
    report({"loss": drawn, "imported_by": slowly_imported.PROCESS, "process": os.getpid()})


def dies(parameters: dict[str, Any]) -> None:
    """Kills itself."""
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves_silently(parameters: dict[str, Any]) -> None:
    """Leaves without a word."""
    os._exit(0)


def waits(parameters: dict[str, Any], checkpoint: Path | None = None) -> None:
    """Holds 64 MiB and waits in `steps` short steps, no more of them once the file `until` is there.

    Reports how many it has done, the step it went on from and when (epoch seconds).
    """
    started = time.time()
    done = first = 0 if checkpoint is None else int((checkpoint / "steps").read_text())
    held = bytearray(64 << 20)
    held[::4096] = b"x" * (1 << 14)
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    until = Path(parameters.get("until", "/nowhere"))
    while done < int(parameters.get("steps", 6000)) and not (done > first and until.exists()):
        with step():
            time.sleep(0.05)
        done += 1
        (folder / "steps").write_text(str(done))
        said = {"loss": float(parameters.get("x", 0)), "done": done, "went_on_from": first, "started": started}
        report(said, checkpoint=folder)


def grows(parameters: dict[str, Any]) -> None:
    """Takes `mebibytes` of memory within a second, ten at a time, waits until the file `until` is there, and reports.

    That it has grown is told by the file `until`-`mebibytes`. From `stays_from` mebibytes on it waits until it is stopped.
    """
    held: list[bytes] = []
    wanted = int(parameters["mebibytes"])
    for _ in step(range(wanted // 10)):
        held.append(b"x" * (10 << 20))
        time.sleep(10 / wanted)
    Path(f"{parameters['until']}-{wanted}").touch()
    deadline = time.monotonic() + 600
    stays = wanted >= int(parameters.get("stays_from", wanted + 1))
    while (stays or not Path(parameters["until"]).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    report({"loss": float(len(held))})


def prints_and_raises(parameters: dict[str, Any]) -> None:
    """One report, some output, then an error."""
    print("about to fail")
    report({"loss": 1.0})
    raise RuntimeError(f"x is {parameters['x']}")


def takes_memory() -> None:
    """400 MiB in a step that goes on until it is stopped."""
    with step():
        held = bytearray(400 << 20)
        held[::4096] = b"x" * (400 << 8)
        time.sleep(3600)


def behaves(parameters: dict[str, Any], checkpoint: Path | None = None) -> None:
    """As `behaviour` says, or the third that `x` is in: `stepping`, `forgetful`, or greedy, in its second step."""
    behaviour = parameters.get("behaviour") or ("stepping", "forgetful", "greedy")[min(int(parameters["x"] * 3), 2)]
    if behaviour == "greedy":
        with step():
            time.sleep(0.01)
        report({"loss": 9.0})
        takes_memory()
    elif behaviour == "forgetful":
        forgetful({"x": 0.0})
    else:
        stepping({"x": 0.0}, checkpoint)


def costly(parameters: dict[str, Any]) -> None:
    """Forty steps with two reports: the loss falls with `x`, the cost rises. One that is `greedy` gets to none."""
    x = float(parameters["x"])
    if parameters["behaviour"] == "greedy":
        takes_memory()
    for number in step(range(40)):
        time.sleep(0.002)
        if number % 20 == 19:
            report({"loss": 1.0 - x + 1 / number, "cost": x})


BEHAVIOURS = {f.__name__: f for f in (dies, leaves_silently, prints_and_raises, stepping)}


def behaving(parameters: dict[str, Any]) -> None:
    """Behaves as the parameter `behaviour` says."""
    BEHAVIOURS[str(parameters["behaviour"])]({"x": 0.0, **parameters})


def reports_all_the_time(parameters: dict[str, Any]) -> None:
    """Reports every few milliseconds for ten seconds."""
    for number in range(2000):
        with step():
            time.sleep(0.005)
        report({"loss": float(number)})
