"""Offline validation refuses what the API server refuses (tests/cluster holds the same table against the real one)."""

import pytest
from pydantic import ValidationError

from support.bad_input import BAD_MANIFESTS, BadInput
from support.sweeps import BASE, edited
from tuningsweep_api.errors import explain
from tuningsweep_api.spec.sweep import TuningSweep


def test_the_base_manifest_is_valid() -> None:
    sweep = TuningSweep.from_manifest(BASE)
    assert sweep.spec.limits.memory_bytes == 400 * 2**20
    assert sweep.spec.storage.volume_claim is not None


def test_there_are_at_least_forty_cases_with_distinct_names() -> None:
    assert len({case.name for case in BAD_MANIFESTS}) == len(BAD_MANIFESTS) >= 40


@pytest.mark.parametrize("case", BAD_MANIFESTS, ids=lambda case: case.name)
def test_bad_manifest_is_refused_with_a_sentence_that_names_the_field(case: BadInput) -> None:
    with pytest.raises(ValidationError) as refused:
        TuningSweep.from_manifest(edited(BASE, case.edits))
    assert (case.offline or case.says) in "\n".join(explain(refused.value))


def test_numbers_may_stand_for_quantities_as_in_kubernetes() -> None:
    sweep = TuningSweep.from_manifest(edited(BASE, {"spec.limits.memory": 2**29}))
    assert sweep.spec.limits.memory_bytes == 2**29


def test_a_whole_number_may_be_written_with_a_point_as_in_kubernetes() -> None:
    sweep = TuningSweep.from_manifest(edited(BASE, {"spec.maxTrialCount": 4.0, "spec.limits.memory": 2.0**29}))
    assert (sweep.spec.max_trial_count, sweep.spec.limits.memory_bytes) == (4, 2**29)
    for number in (4.5, 2.0**60, float("inf")):
        with pytest.raises(ValidationError, match=r"maxTrialCount"):
            TuningSweep.from_manifest(edited(BASE, {"spec.maxTrialCount": number}))


def test_a_sweep_in_a_queue_has_a_cluster_of_fixed_size() -> None:
    queued = {"metadata.labels": {"kueue.x-k8s.io/queue-name": "q", "kueue.x-k8s.io/priority-class": "low", "x": "y"}}
    sweep = TuningSweep.from_manifest(edited(BASE, queued))
    assert sweep.queue_labels == {"kueue.x-k8s.io/queue-name": "q", "kueue.x-k8s.io/priority-class": "low"}
    grows = {**queued, "spec.cluster": {"workers": {"minReplicas": 1, "maxReplicas": 2}}}
    with pytest.raises(ValidationError, match=r"spec\.cluster\.workers: .* set minReplicas to maxReplicas"):
        TuningSweep.from_manifest(edited(BASE, grows))


def test_stop_requests_come_from_the_annotation_in_a_stable_order() -> None:
    manifest = edited(BASE, {"metadata.annotations": {"tuningsweep.io/stop": "trial-0002, trial-0001,,trial-0002"}})
    assert TuningSweep.from_manifest(manifest).stop_requests == ("trial-0001", "trial-0002")


def test_a_claim_of_less_than_a_byte_is_above_zero() -> None:
    """As the API server's rule has it, which compares quantities: the fuzz test found them to differ."""
    TuningSweep.from_manifest(edited(BASE, {"spec.storage": {"volumeClaim": {"size": "1m"}}}))
