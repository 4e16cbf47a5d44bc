"""A sweep on a cluster: its driver while it runs, its storage afterwards. Loaded only when a cluster is asked."""

from tuningsweep_api.outcomes import Phase
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.cluster import Cluster, get_sweep
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_cli.source.base import Progress, Source
from tuningsweep_cli.source.live import LiveSource
from tuningsweep_cli.source.pod_store import PodStore
from tuningsweep_cli.source.status import progress_of, status_of, sweep_of
from tuningsweep_cli.source.stored import StoredSource, store_at
from tuningsweep_operator.builders.common import claim_name


def open_on_cluster(name: str, options: ClusterOptions, *, follow: bool) -> Source:
    """The driver of a sweep that runs (or is followed until it ends), the storage of one that does not."""
    cluster = Cluster(options)
    manifest = get_sweep(cluster, name)
    sweep, status = sweep_of(manifest), status_of(manifest)
    progress = progress_of(status)
    if follow or progress.phase in (Phase.PENDING, Phase.RUNNING):
        return LiveSource(cluster, sweep)
    if status.start_time is None:
        # Nothing to read; and a pod that mounts its claim first would choose the node of its volume.
        raise CommandError(
            f"{name} is {progress.phase} and has not started, so there are no trials: {progress.message}",
            Exit.NOT_FOUND,
        )
    return _stored(cluster, sweep, progress)


def _stored(cluster: Cluster, sweep: TuningSweep, progress: Progress) -> Source:
    uri, name = sweep.spec.storage.uri, sweep.metadata.name
    if uri is not None:
        place = f"{uri.rstrip('/')}/{name}"
        return StoredSource(store_at(place), place, sweep, progress=progress)
    claim = claim_name(sweep)
    if claim is None:
        raise CommandError(
            f"{name} is {progress.phase} and its results are gone: storage.ephemeral ends with the cluster;"
            f" what is known is in `kubectl describe sweep {name}`",
            Exit.NOT_FOUND,
        )
    store = PodStore(cluster, sweep)
    return StoredSource(store, f"claim {claim}", sweep, progress=progress, close=store.close)
