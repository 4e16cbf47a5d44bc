"""What the operator's benchmark reads and makes."""

from benchmarks.operator_scale.objects import create_all, sweep_manifest
from benchmarks.operator_scale.plane import count_writes
from tuningsweep_api.spec.sweep import TuningSweep


def test_writes_are_those_of_a_sweeps_objects_and_no_reads() -> None:
    exposition = """# TYPE apiserver_request_total counter
apiserver_request_total{code="201",resource="rayjobs",verb="POST"} 3
apiserver_request_total{code="200",resource="tuningsweeps",subresource="status",verb="PATCH"} 2
apiserver_request_total{code="200",resource="tuningsweeps",verb="LIST"} 7
apiserver_request_total{code="200",resource="leases",verb="PUT"} 11
apiserver_request_duration_seconds_count{resource="rayjobs",verb="POST"} 13
"""
    assert count_writes(exposition) == 5


def test_a_sweep_of_the_benchmark_is_valid_and_all_its_objects_are_made() -> None:
    assert TuningSweep.from_manifest(sweep_manifest(7)).metadata.name == "bench-00007"
    kinds = [body.get("kind", "status") for _, _, body in create_all(7)]
    assert kinds == ["TuningSweep", "Secret", "ConfigMap", "PersistentVolumeClaim", "RayJob", "status"]
