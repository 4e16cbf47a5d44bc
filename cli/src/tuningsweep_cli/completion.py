"""Names that the shell completes: those of local runs at once, those of the cluster if it answers quickly."""

from pathlib import Path
from typing import Final

import typer

from tuningsweep_api import names

CLUSTER_SECONDS: Final = 2.0


def sweep_names(context: typer.Context, incomplete: str) -> list[str]:
    """Sweeps whose name begins so."""
    given = {option: context.params.get(option) for option in ("namespace", "context", "kubeconfig")}
    found = {path.parent.name for path in Path("results").glob(f"*/{names.SWEEP_KEY}")}
    if any(given.values()) or not found:
        found = _on_cluster(given)
    return sorted(name for name in found if name.startswith(incomplete))


def trial_names(context: typer.Context, incomplete: str) -> list[str]:
    """Trials of a local run whose name begins so."""
    folder = Path(context.params.get("results") or "results")
    sweep = context.params.get("sweep") or ""
    for trials in (folder / "trials.jsonl", folder / sweep / "trials.jsonl"):
        if trials.is_file():
            count = sum(1 for _ in trials.open())
            return [name for index in range(count) if (name := names.trial_name(index)).startswith(incomplete)]
    return []


def _on_cluster(given: dict[str, str | None]) -> set[str]:
    """Sweeps of the namespace; none if the cluster does not answer, for there is nowhere to say so."""
    import threading

    from tuningsweep_cli.exits import CommandError

    found: set[str] = set()

    def ask() -> None:
        from tuningsweep_cli.cluster import Cluster
        from tuningsweep_cli.options import ClusterOptions
        from tuningsweep_operator.resources import SWEEPS

        try:
            found.update(item["metadata"]["name"] for item in Cluster(ClusterOptions(**given)).items(SWEEPS))
        except CommandError:
            return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CLUSTER_SECONDS)
    return set(found)
