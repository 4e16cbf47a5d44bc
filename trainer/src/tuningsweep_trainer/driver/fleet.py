"""The node agents of a sweep: one started on every node that comes, orders passed on to all, observations gathered."""

import logging
from typing import Any, Final

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tuningsweep_trainer.driver.context import ACTOR_NAMESPACE, SweepContext
from tuningsweep_trainer.node.agent import NodeAgent
from tuningsweep_trainer.node.runtime import RELEASED_KEPT, Orders, TrialStatus

OBSERVE_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


class Fleet:
    """Used by the conductor's thread alone, but for `leave`."""

    def __init__(self, context: SweepContext, orders: Orders) -> None:
        self._context = context
        self._orders = orders
        self._agents: dict[str, Any] = {}
        self._home = ray.get_runtime_context().get_node_id()

    def order(self, orders: Orders) -> None:
        """Pass new orders on to every node."""
        if orders.model_copy(update={"revision": self._orders.revision}) == self._orders:
            return
        released = orders.released[-RELEASED_KEPT:]
        self._orders = orders.model_copy(update={"revision": self._orders.revision + 1, "released": released})
        for agent in self._agents.values():
            agent.apply.remote(self._orders.model_dump_json(by_alias=True))

    def meet_nodes(self) -> None:
        """Start an agent on each new node, forget those of nodes that are gone."""
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}
        for node in set(self._agents) - alive:
            del self._agents[node]
        for node in alive - set(self._agents):
            self._agents[node] = self._start_agent(node)
            log.info("node agent started", extra={"node": node})

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

    def observe(self, outcomes: dict[str, int]) -> dict[str, TrialStatus]:
        """What the nodes know of their trials, by trial; an agent that missed the last orders gets them again."""
        asked = {
            agent.observe.remote(outcomes if node == self._home else {}): agent for node, agent in self._agents.items()
        }
        answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=OBSERVE_SECONDS) if asked else ([], [])
        statuses: dict[str, TrialStatus] = {}
        for reference in answered:
            try:
                revision, found = ray.get(reference)
            except ray.exceptions.RayError as error:
                log.warning("a node agent does not answer, Ray restarts it: %s", error)
                continue
            if revision < self._orders.revision:
                asked[reference].apply.remote(self._orders.model_dump_json(by_alias=True))
            statuses |= {status.trial: status for status in found}
        return statuses

    def metrics_ports(self) -> dict[str, int | None]:
        """Port of the metrics endpoint of each node."""
        return {node: ray.get(agent.port.remote()) for node, agent in self._agents.items()}

    def leave(self) -> None:
        """Remove what the agents keep on their nodes."""
        leaving = [agent.leave.remote() for agent in self._agents.values()]
        if leaving:
            ray.wait(leaving, num_returns=len(leaving), timeout=OBSERVE_SECONDS)
