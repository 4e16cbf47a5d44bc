"""Issue A(b) and the single stop: what a person changes on a running sweep takes hold.

(d), suspend and resume, is in test_object_storage.py by kubectl and in test_cli.py by the command line, on a claim.
"""

import collections
from typing import Any

from cluster.sweeps import (
    function_sweep,
    read_records,
    stop_events,
    trial_counts,
    wait_condition,
    wait_running,
)
from support.kubectl import Kubectl
from support.patience import eventually


def outcomes(records: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Outcome and reason of every record, by trial."""
    result: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for record in records:
        result[record["trial"]].append((record["outcome"], record["reason"]))
    return result


def test_one_trial_is_stopped_on_request_and_tightened_limits_stop_the_others(kubectl: Kubectl) -> None:
    name = "steered"
    kubectl.apply(function_sweep(name, "counting", spec__limits={"meanStepTime": "5s"}))
    wait_running(kubectl, name, count=2)
    kubectl.run("annotate", "tuningsweep", name, "tuningsweep.io/stop=trial-0001")
    eventually(lambda: trial_counts(kubectl, name).get("stopped") == 1, "trial-0001 stopped")
    stop = kubectl.get("tuningsweep", name)["status"]["lastStops"][0]
    assert (stop["trial"], stop["outcome"], stop["reason"]) == ("trial-0001", "Stopped", "StopRequested")
    assert any("trial-0001" in event["message"] for event in stop_events(kubectl, name))

    kubectl.patch("tuningsweep", name, {"spec": {"limits": {"meanStepTime": "50ms", "warmupSteps": 1}}})
    sweep = wait_condition(kubectl, name, "Failed", reason="NoTrialSucceeded")
    assert sweep["status"]["trials"]["limitExceeded"] == 3
    ended = outcomes(read_records(kubectl, name))
    assert ended.pop("trial-0001") == [("Stopped", "StopRequested")]
    assert set(map(tuple, ended.values())) == {(("LimitExceeded", "MeanStepTimeLimitExceeded"),)}
