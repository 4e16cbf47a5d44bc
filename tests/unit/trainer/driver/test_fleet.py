"""Orders on their way to node agents, without Ray: each answers at once, or not yet."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
import ray

from support.sweeps import sweep_manifest
from tuningsweep_api.messages import desired_state
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver import fleet as module
from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.driver.fleet import Fleet
from tuningsweep_trainer.node.runtime import Orders
from tuningsweep_trainer.node.summary import SweepSummary

SWEEP = TuningSweep.from_manifest(sweep_manifest())
FIRST = Orders(revision=1, desired=desired_state(SWEEP))


class Agent:
    """A node's agent; what its methods return are what Ray would give for it."""

    def __init__(self) -> None:
        self.held, self.sent = FIRST, 0
        self.full, self.slow, self.dead = False, False, False
        self.apply = SimpleNamespace(remote=self._apply)
        self.observe = SimpleNamespace(remote=self._observe)

    def _observe(self, _: object) -> Any:
        return ray.exceptions.ActorDiedError() if self.dead else (self.held.revision, [])

    def _apply(self, orders: str) -> Any:
        self.sent += 1
        if self.slow:
            return None
        if self.full:
            return ray.exceptions.RayTaskError("apply", "the traceback", OSError(28, "No space left on device"))
        self.held = Orders.model_validate_json(orders)
        return ()


def got(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch, agent: Agent) -> Fleet:
    """Of one node."""
    fake = SimpleNamespace(
        get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "home"),
        nodes=lambda: [{"NodeID": "home", "Alive": True}],
        wait=lambda answers, timeout: ([answer for answer in answers if answer is not None], []),
        get=got,
        exceptions=ray.exceptions,
    )
    monkeypatch.setattr(module, "ray", fake)
    monkeypatch.setattr(Fleet, "_start_agent", lambda *_: agent)
    made = Fleet(SweepContext(run_id="run", sweep=SWEEP, results="/nowhere"), FIRST)
    made.meet_nodes()
    return made


def turns(fleet: Fleet, number: int = 4) -> None:
    for _ in range(number):
        fleet.observe(SweepSummary())


def test_orders_that_a_node_has_no_room_for_are_sent_until_there_is_some_and_logged_once(
    fleet: Fleet, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=module.__name__)
    caplog.clear()
    for released in ("one", "another"):
        agent.full = True
        fleet.order(FIRST.model_copy(update={"released": [released]}))
        turns(fleet)
        assert agent.sent > 2
        assert released not in agent.held.released
        agent.full = False
        turns(fleet)
        assert agent.held.released == [released]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2
    assert "No space left" in caplog.text
    assert "the traceback" not in caplog.text


def test_orders_that_are_under_way_are_not_sent_again(fleet: Fleet, agent: Agent) -> None:
    agent.slow = True
    fleet.order(FIRST.model_copy(update={"interrupted": True}))
    turns(fleet)
    assert agent.sent == 1


def test_another_agent_is_started_after_one_whose_start_failed_though_not_at_once(
    fleet: Fleet, agent: Agent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[str] = []
    monkeypatch.setattr(Fleet, "_start_agent", lambda _, node: started.append(node) or agent)
    agent.dead = True
    turns(fleet)
    assert fleet.nodes == 0
    assert "could not start" in caplog.text
    fleet.meet_nodes()
    assert started == []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + module.NEW_AGENT_SECONDS))
    agent.dead = False
    fleet.meet_nodes()
    turns(fleet)
    assert (started, fleet.nodes) == (["home"], 1)
