"""Two sweeps within a memory limit, in a process of its own that moves itself and its Ray into a cgroup: CGROUP RESULTS.

Prints what happened as JSON. Small memory is made by setting the limit once Ray has taken what it needs.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integration.engine.conftest import PYTHON_PATH, engine_ray, records_in, sweep_of
from tuningsweep_api.messages import SweepState
from tuningsweep_trainer.container import group_room, memory_groups, oom_kills
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep

MI = 1 << 20
PACKED = {
    "trainable.function": "functions_of_engine:grows",
    "parameters": [{"name": "mebibytes", "parameterType": "discrete", "feasibleSpace": {"list": ["150", "200"]}}],
    "search": {"algorithmName": "random"},
    "maxTrialCount": 4,
    "parallelTrialCount": "Auto",
    "limits": {"memory": "400Mi"},
}
"""By the limit, three fit into ROOM at most; Ray alone would run eight. They end once one has been seen held."""
ROOM = 1400 * MI
HUNGRY = {
    **PACKED,
    "parameters": [{"name": "mebibytes", "parameterType": "discrete", "feasibleSpace": {"list": ["100", "100000"]}}],
    "search": {"algorithmName": "grid"},
    "maxTrialCount": 2,
    "parallelTrialCount": 2,
    "limits": {},
}
"""One of the two takes whatever there is."""


def set_limit() -> None:
    group = memory_groups(Path("/proc/self/cgroup").read_text())[0]
    group.limit.write_text(str(8 * ROOM))  # before, v2 says "max"
    room = group_room(group)
    assert room is not None
    group.limit.write_text(str(room.used + ROOM))


def run(edits: dict[str, Any], results: Path, *, seen: Callable[[SweepState], bool]) -> dict[str, Any]:
    """Run a sweep; its trials go on to their ends once a state is `seen`."""
    states: list[SweepState] = []
    until = results / "until"

    def on_state(state: SweepState) -> None:
        states.append(state)
        if seen(state):
            until.touch()

    options = DriverOptions(results=str(results), python_path=PYTHON_PATH, preflight=False, on_state=on_state)
    edits = {**edits, "trainable.arguments": {"until": str(until)}}
    kills = oom_kills()
    last = run_sweep(sweep_of(edits), options)
    return {
        "records": records_in(results),
        "most_at_first": max(
            sum(trial.steps > 0 for trial in state.running) for state in states if state.trials.succeeded == 0
        ),
        "most_held": max(state.trials.held for state in states),
        "told": sorted({trial.held for state in states for trial in state.running if trial.held}),
        "succeeded": last.result is not None and last.result.succeeded,
        "oom_kills": oom_kills() - kills,
    }


def main(cgroup: Path, results: Path) -> None:
    (cgroup / "cgroup.procs").write_text(str(os.getpid()))
    with engine_ray():
        set_limit()
        found = {
            "packed": run(PACKED, results / "packed", seen=lambda state: state.trials.held > 0),
            "hungry": run(HUNGRY, results / "hungry", seen=lambda state: True),
        }
    print(json.dumps(found))


main(Path(sys.argv[1]), Path(sys.argv[2]))
