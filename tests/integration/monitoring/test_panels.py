"""A real Prometheus scrapes the real collectors, loads the alerts and answers the query of every panel of every dashboard.

A panel without data fails: a metric was renamed, a label is missing, or an expression joins what does not match.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from support.dashboards import FILES, NAMES, Target, concrete, targets, variable_queries
from support.patience import PATIENCE, eventually
from support.prometheus import Prometheus, running_prometheus
from support.synthetic import operator_registry, status, step_times, summary, trainer_registry, work_of_operator
from tuningsweep_trainer.node.runtime import TrialStatus
from tuningsweep_trainer.node.step_times import StepTimes

pytestmark = pytest.mark.timeout(1800)  # the first run on a machine builds Prometheus

SCRAPE_SECONDS = 1
SCRAPES = 5
"""As many as a rate over WINDOW needs, with some to spare."""
WINDOW = "10s"
VARIABLES = {
    "__rate_interval": WINDOW,
    "__range": "60s",
    "namespace": "team-a",
    "sweep": "digits",
}


class MovingSweep:
    """Statuses and step times that move, so that rates have something to show."""

    def __init__(self) -> None:
        self.statuses: list[TrialStatus] = []
        self.times = StepTimes()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._move, daemon=True)

    def __enter__(self) -> "MovingSweep":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _move(self) -> None:
        turn = 0
        while not self._over.wait(0.2):
            turn += 1
            # The last has no limits; trial-0004 alone is above 90 % of its memory.
            unlimited = {f"{name}_limit": None for name in ("memory", "mean_step_time", "step_time", "duration")}
            self.statuses[:] = [status(number, turn) for number in range(6)] + [status(6, turn, **unlimited)]
            self.times = step_times(turn)
            work_of_operator()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped a sweep and an operator a few times."""
    with MovingSweep() as sweep:
        servers = {
            "trials": start_http_server(
                0, "127.0.0.1", trainer_registry(sweep.statuses, summary(), lambda: sweep.times)
            ),
            "tuningsweep-operator": start_http_server(0, "127.0.0.1", _with_process(operator_registry())),
        }
        jobs = [
            {
                "job_name": job,
                "honor_labels": True,
                "static_configs": [
                    {"targets": [f"127.0.0.1:{http.server_port}"], "labels": {"namespace": "tuningsweep-system"}}
                ],
            }
            for job, (http, _) in servers.items()
        ]
        timing = {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "1s"}
        configuration = {"global": timing, "rule_files": [str(FILES / "rules.yaml")], "scrape_configs": jobs}
        folder = tmp_path_factory.mktemp("prometheus")
        with running_prometheus(yaml.safe_dump(configuration), folder) as running:
            _wait_for_scrapes(running)
            yield running
        for http, thread in servers.values():
            http.shutdown()
            http.server_close()
            thread.join()


def _with_process(registry: CollectorRegistry) -> CollectorRegistry:
    ProcessCollector(registry=registry)
    return registry


def _wait_for_scrapes(running: Prometheus) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        scrapes = [float(sample["value"][1]) for sample in running.query("count_over_time(up[1h])")]
        if len(scrapes) == 2 and min(scrapes) >= SCRAPES:
            return
        assert time.monotonic() < deadline, f"scrapes: {scrapes}"
        time.sleep(0.5)


@pytest.mark.parametrize("target", [pytest.param(target, id=target.name) for target in targets()])
def test_every_panel_has_data(prometheus: Prometheus, target: Target) -> None:
    what = f"data for {concrete(target.expression, VARIABLES)}"
    eventually(lambda: target.has_data(prometheus, VARIABLES), what)


@pytest.mark.parametrize("query", [query for name in NAMES for query in variable_queries(name)])
def test_every_variable_has_values(prometheus: Prometheus, query: str) -> None:
    selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
    values = prometheus.get(f"label/{label}/values", **{"match[]": concrete(selector, VARIABLES)})
    assert values == [VARIABLES[label]]


def test_every_alert_is_evaluated(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    eventually(lambda: all(rule["health"] != "unknown" for rule in rules()), "the rules are evaluated")
    assert len(rules()) == 8
    assert {rule["health"] for rule in rules()} == {"ok"}, [rule.get("lastError") for rule in rules()]


def test_the_stalled_sweep_and_the_trials_near_a_limit_are_pending(prometheus: Prometheus) -> None:
    """The texts of alerts come out with their values filled in."""

    def pending() -> dict[str, Any]:
        return {alert["labels"]["alertname"]: alert for alert in prometheus.get("alerts")["alerts"]}

    wanted = {"TuningSweepStalled", "TuningSweepTrialNearLimit"}
    alerts = eventually(lambda: wanted <= (found := pending()).keys() and found, f"{wanted} are pending")
    stalled = alerts["TuningSweepStalled"]
    assert stalled["annotations"]["summary"] == "Sweep team-a/stuck is stalled (QuotaExceeded)"
    near = alerts["TuningSweepTrialNearLimit"]["annotations"]
    assert "trial-0004 of sweep team-a/digits is near limits.memory" in near["summary"]
    assert "%" in near["description"]


def test_a_query_for_a_metric_that_is_not_there_has_no_data(prometheus: Prometheus) -> None:
    assert prometheus.query("tuningsweep_no_such_metric") == []
