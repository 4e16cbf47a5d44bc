"""The node agents of a sweep: one started on every node that comes, orders passed on to all, observations gathered."""

import logging
import time
from typing import Any, Final

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tuningsweep_trainer.driver.context import ACTOR_NAMESPACE, SweepContext
from tuningsweep_trainer.node.agent import NodeAgent
from tuningsweep_trainer.node.runtime import RELEASED_KEPT, Orders, TrialStatus
from tuningsweep_trainer.node.summary import SweepSummary

LEAVE_SECONDS: Final = 2.0
NEW_AGENT_SECONDS: Final = 10.0
"""After an agent that Ray does not restart, as its start failed, until another is started on the node."""

log = logging.getLogger(__name__)


class Fleet:
    """Used by the conductor's thread alone, but for `leave`."""

    def __init__(self, context: SweepContext, orders: Orders) -> None:
        self._context = context
        self._orders = orders
        self._agents: dict[str, Any] = {}
        self._sent: dict[str, Any] = {}
        """Orders under way, by node."""
        self._failing: set[str] = set()
        """Nodes that could not pass the last orders on."""
        self._asked: dict[str, Any] = {}
        self._heard: dict[str, list[TrialStatus]] = {}
        self._not_before: dict[str, float] = {}
        """When another agent may be started on a node, time.monotonic()."""
        self._home = ray.get_runtime_context().get_node_id()

    def order(self, orders: Orders) -> None:
        """Pass new orders on to every node."""
        known = self._orders.revision
        orders = orders.model_copy(update={"revision": known, "released": orders.released[-RELEASED_KEPT:]})
        if orders == self._orders:
            return
        self._orders = orders.model_copy(update={"revision": known + 1})
        for node in self._agents:
            self._send(node)

    def _send(self, node: str) -> None:
        self._sent[node] = self._agents[node].apply.remote(self._orders.model_dump_json(by_alias=True))

    def meet_nodes(self) -> None:
        """Start an agent on each new node, forget those of nodes that are gone."""
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        for node in set(self._agents) - alive:
            self._forget(node)
        for node in alive - set(self._agents):
            if time.monotonic() >= self._not_before.get(node, 0.0):
                self._agents[node] = self._start_agent(node)
                log.info("node agent started", extra={"node": node})

    def _forget(self, node: str) -> None:
        del self._agents[node]
        self._failing.discard(node)
        for known in (self._sent, self._asked, self._heard):
            known.pop(node, None)

    @property
    def nodes(self) -> int:
        """Nodes that have an agent."""
        return len(self._agents)

    def _start_agent(self, node: str) -> Any:
        options = ray.remote(NodeAgent).options(
            name=self._context.agent_name(node),
            namespace=ACTOR_NAMESPACE,
            num_cpus=0,
            max_restarts=-1,
            max_concurrency=4,  # preparing the data set must not keep orders waiting
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        return options.remote(self._context.model_dump_json(by_alias=True), self._orders.model_dump_json(by_alias=True))

    def observe(self, summary: SweepSummary) -> dict[str, TrialStatus]:
        """What the nodes last said of their trials, by trial, and a new question to each that has answered.

        Waits for nobody: a node that is slow to answer must not keep orders from the others.
        """
        for node, sent in list(self._sent.items()):
            if ray.wait([sent], timeout=0)[0]:
                del self._sent[node]
                self._confirm(node, sent)
        for node, question in list(self._asked.items()):
            if ray.wait([question], timeout=0)[0]:
                del self._asked[node]
                self._hear(node, question)
        for node, agent in self._agents.items():
            if node not in self._asked:
                self._asked[node] = agent.observe.remote(summary if node == self._home else None)
        return {status.trial: status for node in self._agents for status in self._heard.get(node, [])}

    def _confirm(self, node: str, sent: Any) -> None:
        """Log whether orders have reached a node, once an outage; `_hear` sends them again."""
        extra = {"node": node}
        try:
            ray.get(sent)
        except ray.exceptions.RayError as error:
            if node not in self._failing:
                why = getattr(error, "cause", None) or error
                log.warning("orders do not reach a node, they are sent until they do: %s", why, extra=extra)
            self._failing.add(node)
        else:
            if node in self._failing:
                log.info("orders reach the node again", extra=extra)
            self._failing.discard(node)

    def _hear(self, node: str, question: Any) -> None:
        """Take in an answer; an agent that missed the last orders gets them again."""
        try:
            revision, self._heard[node] = ray.get(question)
        except ray.exceptions.ActorDiedError as error:
            log.error("a node agent could not start, another one will be tried: %s", error, extra={"node": node})
            self._forget(node)
            self._not_before[node] = time.monotonic() + NEW_AGENT_SECONDS
            return
        except ray.exceptions.RayError as error:
            log.warning("a node agent does not answer, Ray restarts it: %s", error, extra={"node": node})
            return
        if revision < self._orders.revision and node in self._agents and node not in self._sent:
            self._send(node)

    def leave(self) -> None:
        """Remove what the agents keep on their nodes."""
        leaving = [agent.leave.remote() for agent in self._agents.values()]
        if leaving:
            ray.wait(leaving, num_returns=len(leaving), timeout=LEAVE_SECONDS)
