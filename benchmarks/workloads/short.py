"""A trial that trains next to nothing: four steps, four reports. What is left is what a system costs per trial.

It imports on demand, so that no system pays for what another one needs.
"""

from collections.abc import Callable
from typing import Any

REPORTS = 4


def body(x: float, tell: Callable[[dict[str, float]], None]) -> float:
    """Tell `tell` of each step's loss; the last loss."""
    loss = x
    for number in range(1, REPORTS + 1):
        loss = x + 1.0 / number
        tell({"loss": loss})
    return loss


def train(parameters: dict[str, Any]) -> None:
    """As a trial of ours."""
    from tuningsweep import report, step

    x = float(parameters["x"])
    for number in range(1, REPORTS + 1):
        with step():
            loss = x + 1.0 / number
        report({"loss": loss})


def tune_train(config: dict[str, Any]) -> None:
    """As a function trainable of bare Ray Tune."""
    from ray import tune

    body(float(config["x"]), tune.report)


def pool_train(x: float) -> float:
    """As a task of a process pool: its reports stay in a list, since nobody listens."""
    told: list[dict[str, float]] = []
    return body(x, told.append)


def make_tune_class() -> type:
    """As a class trainable of bare Ray Tune that can be reused; made on demand, since importing Tune takes seconds."""
    from ray import tune

    class Short(tune.Trainable):
        """One step a result."""

        def setup(self, config: dict[str, Any]) -> None:
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.x, self.number = float(new_config["x"]), 0
            return True

        def step(self) -> dict[str, Any]:
            self.number += 1
            return {"loss": self.x + 1.0 / self.number, "done": self.number >= REPORTS}

    return Short
