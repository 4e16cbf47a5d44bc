"""How a supervisor (or the preflight task) finds the agent of the node it is on."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray

from tuningsweep_trainer.driver.context import ACTOR_NAMESPACE, SweepContext
from tuningsweep_trainer.node.in_use import hold
from tuningsweep_trainer.node.runtime import RuntimeFolder

AGENT_SECONDS: Final = 120.0
"""The driver starts an agent on every node within seconds of the node's coming."""


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """What a supervisor needs of its node."""

    runtime: RuntimeFolder
    data: dict[str, Any] | None
    """The prepared data set (a PreparedRef as JSON), if the trainable is a built-in one."""
    gpus: tuple[str, ...] = ()
    """GPUs that Ray has given to this process alone, as in CUDA_VISIBLE_DEVICES."""


class NodeAgentMissingError(RuntimeError):
    """No agent came up on this node."""


def find_node(context: SweepContext) -> NodeAccess:
    """Wait for the node's agent and its data set; raises what preparing the data set raised."""
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
    data: Any = ray.get(agent.data.remote())
    gpus = ray.get_runtime_context().get_accelerator_ids().get("GPU", [])
    return NodeAccess(RuntimeFolder(Path(folder)), data, tuple(map(str, gpus)))
