"""One real operator while what it stands on fails (API server, etcd, KubeRay, drivers): it goes on, and converges after."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import psutil
import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient

from support.control_plane import ControlPlane
from support.fake_driver import HUGE_BYTES, FakeCluster
from support.faulty_proxy import Fault, FaultyProxy, error_event, faulty_proxy
from support.operator_process import OperatorProcess
from support.patience import eventually
from support.sweeps import BASE, edited
from tuningsweep_operator.kube import Kube, KubeError
from tuningsweep_operator.resources import RAY_JOBS, SWEEPS

AWAY_SECONDS = 12.0
TOLD_SECONDS = 30.0
"""A promise: within them a condition says what is wrong."""
SILENCE = "4"


@pytest.fixture(scope="module")
def proxy(plane: ControlPlane) -> Iterator[FaultyProxy]:
    with faulty_proxy(plane) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, proxy: FaultyProxy, cluster: FakeCluster) -> Iterator[OperatorProcess]:
    operator = OperatorProcess(
        plane.folder,
        proxy.kubeconfig,
        environment=cluster.environment,
        LEASE_SECONDS="5",
        DRIVER_TIMEOUT_SECONDS="1",
        DRIVER_SILENCE_SECONDS=SILENCE,
        KUBERAY_SILENCE_SECONDS=SILENCE,
        WORKERS="2",
    )
    try:
        yield operator.start()
    finally:
        operator.kill()


@pytest.fixture
def alive(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator, which the test must leave alive and well, the same process as before."""
    pid = operator.pid
    yield operator
    assert operator.is_running()
    assert operator.pid == pid
    eventually(lambda: operator.status("healthz") == 200, "it is well")


def make_sweep(plane: ControlPlane, name: str, **edits: Any) -> None:
    wanted = {path.replace("__", "."): value for path, value in edits.items()}
    plane.kubectl("create", "-f", "-", stdin=json.dumps(edited(BASE, {"metadata.name": name, **wanted})))


def sweep_status(plane: ControlPlane, name: str) -> dict[str, Any]:
    return dict(plane.get(SWEEPS, name).get("status") or {})


def stalled(plane: ControlPlane, name: str) -> str:
    """The reason for which a sweep is stalled; empty if it is not."""
    conditions = sweep_status(plane, name).get("conditions", [])
    return next((c["reason"] for c in conditions if c["type"] == "Stalled" and c["status"] == "True"), "")


def is_taken_up(plane: ControlPlane, name: str) -> bool:
    """Whether a sweep has its RayJob and a status."""
    return plane.find(RAY_JOBS, name) is not None and "phase" in sweep_status(plane, name)


def knows_only_what_is_there(plane: ControlPlane, operator: OperatorProcess) -> bool:
    return operator.metric("tuningsweep_operator_sweeps") == len(plane.items(SWEEPS))


def converges(plane: ControlPlane, operator: OperatorProcess, name: str) -> None:
    """A sweep made meanwhile is taken up, one deleted meanwhile is forgotten."""
    eventually(lambda: is_taken_up(plane, name), f"{name} is taken up")
    eventually(lambda: knows_only_what_is_there(plane, operator), "what is gone is forgotten")


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Fault(status=429, headers={"Retry-After": "1"})], id="throttled"),
        pytest.param([Fault(status=500)], id="failing"),
        pytest.param([Fault("tuningsweeps|rayjobs", status=503)], id="unavailable in part"),
        pytest.param([Fault(delay=1.0)], id="slow"),
        pytest.param([Fault(drop=True)], id="unreachable"),
        pytest.param([Fault("watch=true", watch_body=error_event(410, "Expired"))], id="expired"),
        pytest.param(
            [
                Fault("tuningsweeps.*watch=true", watch_body=error_event(500, "InternalError")),
                Fault("rayjobs.*watch=true", watch_body=b'{"type": "MODIFIED", "object": {"meta\n'),
                Fault("pods.*watch=true", watch_body=b'{"type": "MODIFIED", "object": {"meta'),
                Fault("watch=true", watch_body=error_event(429, "TooManyRequests")),
            ],
            id="broken watches",
        ),
    ],
)
def test_faults_of_the_api_server(
    plane: ControlPlane, proxy: FaultyProxy, alive: OperatorProcess, faults: list[Fault], request: pytest.FixtureRequest
) -> None:
    case = request.node.callspec.id.replace(" ", "-")
    doomed, late = f"doomed-{case}", f"late-{case}"
    make_sweep(plane, doomed)
    eventually(lambda: is_taken_up(plane, doomed), "a sweep before the fault")
    proxy.faults = faults
    proxy.cut_watches()
    make_sweep(plane, late)
    plane.kubectl("delete", "tuningsweep", doomed)
    try:
        for fault in faults:
            times = 5 if len(faults) == 1 else 2
            eventually(
                lambda f=fault, n=times: proxy.answered(f) >= n,
                f"the operator meets {fault}",
                every=0.1,
            )
    finally:
        proxy.faults = []
    converges(plane, alive, late)


def end_api_server(plane: ControlPlane) -> None:
    plane.end("kube-apiserver")
    time.sleep(AWAY_SECONDS)
    plane.start_api_server()


def stop_etcd(plane: ControlPlane) -> None:
    """etcd answers nothing for longer than the operator's requests and its lease last."""
    etcd = plane.processes["etcd"].pid
    os.kill(etcd, signal.SIGSTOP)
    try:
        time.sleep(AWAY_SECONDS)
    finally:
        os.kill(etcd, signal.SIGCONT)


@pytest.mark.parametrize("away", [end_api_server, stop_etcd])
def test_the_api_server_or_its_store_is_away(
    plane: ControlPlane, alive: OperatorProcess, away: Callable[[ControlPlane], None]
) -> None:
    case = away.__name__.replace("_", "-")
    make_sweep(plane, f"before-{case}")
    away(plane)
    eventually(lambda: make_sweep(plane, f"after-{case}") is None, "the API server takes a sweep")
    converges(plane, alive, f"after-{case}")
    converges(plane, alive, f"before-{case}")


def test_faults_of_kuberay_and_drivers(plane: ControlPlane, cluster: FakeCluster, alive: OperatorProcess) -> None:
    moods = ("well", "slow", "nonsense", "failing", "huge")
    sweeps = (*moods, "unheeded", "mute", "cut-off")
    for name in sweeps:
        make_sweep(plane, name)
    for name in sweeps:
        eventually(lambda name=name: is_taken_up(plane, name), f"{name} is taken up")
    drivers = {mood: cluster.run_job(mood) for mood in moods}
    for mood, driver in drivers.items():
        driver.mood = mood
    cluster.run_silent_job("mute", full=False)
    cluster.run_silent_job("cut-off", full=True)
    for name in (*moods[1:], "mute", "cut-off"):
        eventually(lambda name=name: stalled(plane, name) == "DriverUnreachable", f"{name} is told about", TOLD_SECONDS)
    eventually(
        lambda: stalled(plane, "unheeded") == "KubeRayNotResponding", "KubeRay's silence is told about", TOLD_SECONDS
    )
    asked = drivers["well"].asked
    eventually(lambda: drivers["well"].asked > asked + 2, "the others are asked all the while")
    eventually(lambda: sweep_status(plane, "well")["trials"]["running"] == 2, "its trials are counted")
    assert drivers["huge"].sent < HUGE_BYTES / 4, "a large answer is read no further than its bound"
    assert psutil.Process(alive.pid).memory_info().rss < 160 << 20
    for driver in drivers.values():
        driver.mood = "well"
    for name in ("unheeded", "mute", "cut-off"):
        cluster.run_job(name)
    for name in sweeps:
        eventually(lambda name=name: not stalled(plane, name), f"{name} goes on")
        eventually(lambda name=name: sweep_status(plane, name)["phase"] == "Running", f"{name} runs")
    drivers["well"].result = {"succeeded": True, "reason": "SearchFinished", "message": "all trials ended"}
    eventually(lambda: sweep_status(plane, "well")["phase"] == "Complete", "a sweep ends")
    eventually(lambda: drivers["well"].desired.get("acknowledged"), "its driver is let go")


def test_lists_and_watches_leave_out_what_is_no_sweeps(proxy: FaultyProxy, alive: OperatorProcess) -> None:
    for kind in ("pods", "rayjobs"):
        asked = [r.path for r in list(proxy.requests) if r.method == "GET" and re.search(rf"/{kind}\?", r.path)]
        assert any("watch=true" in path for path in asked)
        assert [path for path in asked if "labelSelector=tuningsweep.io/sweep" not in unquote(path)] == []


def test_what_an_earlier_sweep_of_the_name_left_is_no_sign_of_the_new_one(
    plane: ControlPlane, cluster: FakeCluster, alive: OperatorProcess
) -> None:
    make_sweep(plane, "heir", spec__storage={"existingClaim": "results"})
    eventually(lambda: is_taken_up(plane, "heir"), "the first is taken up")
    plane.kubectl("delete", "tuningsweep", "heir")  # nobody collects what it owned here
    cluster.set_job_status("heir", "Failed", "FAILED")
    make_sweep(plane, "heir", spec__storage={"existingClaim": "results"})
    eventually(lambda: stalled(plane, "heir") == "NameConflict", "the second waits")
    assert sweep_status(plane, "heir")["phase"] == "Pending"
    owned = "rayjobs,secrets,configmaps,networkpolicies"
    plane.kubectl("delete", owned, "-l", "tuningsweep.io/sweep=heir")
    eventually(lambda: not stalled(plane, "heir") and is_taken_up(plane, "heir"), "it goes on")
    uid = plane.get(SWEEPS, "heir")["metadata"]["uid"]
    assert uid in [owner["uid"] for owner in plane.get(RAY_JOBS, "heir")["metadata"]["ownerReferences"]]


def test_a_queue_label_that_comes_later_changes_nothing_for_what_runs(
    plane: ControlPlane, cluster: FakeCluster, alive: OperatorProcess
) -> None:
    make_sweep(plane, "scaled", spec__cluster={"workers": {"minReplicas": 1, "maxReplicas": 2}})
    eventually(lambda: is_taken_up(plane, "scaled"), "it is taken up")
    driver = cluster.run_job("scaled")
    eventually(lambda: sweep_status(plane, "scaled")["phase"] == "Running", "it runs")
    plane.kubectl("label", "tuningsweep", "scaled", "kueue.x-k8s.io/queue-name=q")
    plane.kubectl("patch", "tuningsweep", "scaled", "--type=merge", "-p", '{"spec": {"limits": {"memory": "300Mi"}}}')
    eventually(
        lambda: driver.desired.get("limits", {}).get("memory") == "300Mi", "an edit reaches its driver all the same"
    )
    eventually(lambda: not stalled(plane, "scaled"), "nothing is wrong")
    assert sweep_status(plane, "scaled")["phase"] == "Running"


async def test_a_status_is_written_to_the_sweep_that_it_is_of(plane: ControlPlane) -> None:
    make_sweep(plane, "again", spec__suspend=True)
    uid = plane.get(SWEEPS, "again")["metadata"]["uid"]
    await config.load_kube_config(str(plane.kubeconfig))
    async with Kube(ApiClient(), lambda: 60.0) as kube:
        written = await kube.replace_status("default", "again", uid, {"phase": "Suspended", "stopCount": 7})
        assert written is not None
        assert written["status"]["stopCount"] == 7
        assert await kube.replace_status("default", "again", f"not-{uid}", {"phase": "Failed"}) is None
        with pytest.raises(KubeError, match="phase"):
            await kube.replace_status("default", "again", uid, {"phase": 1})
