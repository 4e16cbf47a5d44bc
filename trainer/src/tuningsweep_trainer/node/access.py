"""How a supervisor (or the preflight task) finds the agent of the node it is on."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray

from tuningsweep_trainer.driver.context import ACTOR_NAMESPACE, SweepContext
from tuningsweep_trainer.node.data import DataState
from tuningsweep_trainer.node.in_use import hold
from tuningsweep_trainer.node.runtime import RuntimeFolder

AGENT_SECONDS: Final = 120.0
"""The driver starts an agent on every node within seconds of the node's coming."""


@dataclass(slots=True)
class NodeAccess:
    """What a supervisor needs of its node."""

    runtime: RuntimeFolder
    agent: Any
    """The node agent's handle."""
    gpus: tuple[str, ...] = ()
    """GPUs that Ray has given to this process alone, as in CUDA_VISIBLE_DEVICES."""
    data: dict[str, Any] | None = None
    """The prepared data set (a PreparedRef as JSON), once it was asked for and is there."""

    def prepare_data(self) -> dict[str, Any] | None:
        """Have the data set prepared, in one try, if the trainable is a built-in one; raises what preparing it raises."""
        self.data = ray.get(self.agent.data.remote())
        return self.data

    def ask_for_data(self) -> DataState:
        """How far the node is with the data set of a built-in workload; the agent tries while somebody asks."""
        state: DataState = ray.get(self.agent.data_state.remote())
        self.data = state.data
        return state


class NodeAgentMissingError(RuntimeError):
    """No agent came up on this node."""


def find_node(context: SweepContext) -> NodeAccess:
    """Wait for the node's agent; NodeAgentMissingError after AGENT_SECONDS."""
    name = context.agent_name(ray.get_runtime_context().get_node_id())
    deadline = time.monotonic() + AGENT_SECONDS
    while True:
        try:
            agent = ray.get_actor(name, namespace=ACTOR_NAMESPACE)
            break
        except ValueError as error:
            if time.monotonic() > deadline:
                raise NodeAgentMissingError(f"no node agent {name} within {AGENT_SECONDS:g} s") from error
            time.sleep(0.05)
    folder: Any = ray.get(agent.folder.remote())
    hold(Path(folder))  # while the agent is started again, after its death, nobody may take this for abandoned
    gpus = ray.get_runtime_context().get_accelerator_ids().get("GPU", [])
    return NodeAccess(RuntimeFolder(Path(folder)), agent, tuple(map(str, gpus)))
