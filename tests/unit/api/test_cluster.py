"""CPUs of a cluster's pods as Ray counts them: trialsPerWorker trials fill one, whatever a trial asks for."""

import itertools

import pytest

from tuningsweep_api.spec.cluster import Cluster

CORES = ("0", "50m", "100m", "250m", "333m", "500m", "700m", "1", "1100m", "1500m", "2", "4")


@pytest.mark.parametrize(("cores", "trials"), list(itertools.product(CORES, (1, 2, 3, 4, 7, 16, 64))))
def test_a_pod_runs_as_many_trials_as_it_has_memory_for(cores: str, trials: int) -> None:
    cluster = Cluster.model_validate(
        {"workers": {"trialsPerWorker": trials}, "resourcesPerTrial": {"cpu": cores}}, by_alias=True
    )
    counted = round(cluster.ray_cpus_per_trial * 10_000)  # as Ray keeps it
    assert counted == pytest.approx(cluster.ray_cpus_per_trial * 10_000)
    assert cluster.ray_cpus * 10_000 // counted == trials
    assert cluster.ray_cpus_per_trial <= 1 or cluster.ray_cpus_per_trial == int(cluster.ray_cpus_per_trial)
