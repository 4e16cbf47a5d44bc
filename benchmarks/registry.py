"""All figures in the order in which they are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's module is benchmarks.figures.NAME."""

    name: str
    title: str
    timeout_seconds: int = 600
    """A figure that takes longer is reported as failed."""


FIGURES: tuple[Figure, ...] = (
    Figure("enforcement", "time from crossing a limit to the kill", 600),
    Figure("supervision", "cost of supervision", 200),
    Figure("trial_overhead", "time per trial beyond its own training", 900),
    Figure("makespan", "makespan of the MNIST grid", 400),
    Figure("memory", "memory held per parallel trial", 300),
    Figure("many_trials", "10,000 trials in one sweep", 1200),
    Figure("workload_speed", "steps/s of the built-in workloads", 300),
    Figure("data_copies", "data set in memory with parallel trials", 300),
    Figure("savings", "CPU time saved on the thesis grid", 900),
    Figure("kubernetes_jobs", "one Kubernetes Job a trial", 600),
)


def chosen(names: str) -> list[Figure]:
    """The figures in a comma-separated list, all for an empty one; ValueError names one that there is not."""
    by_name = {figure.name: figure for figure in FIGURES}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in by_name:
            raise ValueError(f"there is no figure {name!r}; there are {', '.join(by_name)}")
    return [by_name[name] for name in wanted] or list(FIGURES)
