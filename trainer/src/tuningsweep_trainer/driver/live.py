"""What the driver remembers of trials that have not ended: kept on the board, read by the folds for state and metrics."""

from dataclasses import dataclass, field

from tuningsweep_api.trials import Forecast
from tuningsweep_trainer.driver.search_space import Parameters
from tuningsweep_trainer.driver.sweep_end import SweepEnd
from tuningsweep_trainer.driver.tally import Tally
from tuningsweep_trainer.supervisor.result import TrialResult


@dataclass
class Live:
    """A trial that has been assigned and has not ended."""

    parameters: Parameters
    attempts: int = 0
    start_time: str | None = None
    running: bool = False
    paused: bool = False
    """Waits for its scheduler; trials that wait for a supervisor are neither running nor paused."""
    held: str = ""
    """Why its supervisor holds it: until there is memory, or the data set."""
    training: bool = False
    """Whether a training process of this start has been heard of."""
    last: TrialResult | None = None
    spent_seconds: float = 0.0
    spent_cpu_seconds: float = 0.0
    """Wall and CPU time of its earlier training processes under this driver, as far as they reported."""
    forecast: Forecast | None = None
    """Set where it was predicted to exceed a limit."""

    def start(self, parameters: Parameters, time: str) -> None:
        """A training process of it is about to start, at a time as in RFC 3339."""
        if self.last is not None:
            self.spent_seconds += self.last.duration_seconds
            self.spent_cpu_seconds += self.last.cpu_seconds
            self.last = self.last.model_copy(update={"duration_seconds": 0.0, "cpu_seconds": 0.0})
        self.parameters, self.running, self.paused, self.attempts = dict(parameters), True, False, self.attempts + 1
        self.held, self.training = "", False
        self.start_time = self.start_time or time


@dataclass
class Progress:
    """What the state fold reads, as one consistent copy."""

    tally: Tally
    live: dict[str, Live] = field(default_factory=dict)
    warnings: int = 0
    end: SweepEnd | None = None

    @property
    def running(self) -> dict[str, Live]:
        """Trials that a supervisor trains, or is about to."""
        return {name: live for name, live in self.live.items() if live.running and not live.held}

    @property
    def held(self) -> dict[str, Live]:
        """Trials whose supervisor waits for memory or the data set."""
        return {name: live for name, live in self.live.items() if live.running and live.held}
