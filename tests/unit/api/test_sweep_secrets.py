"""What is written beside results does not hold the environment of pods."""

from support.sweeps import sweep_manifest
from tuningsweep_api.spec.sweep import TuningSweep


def test_a_sweep_without_its_pod_template_holds_no_environment() -> None:
    env = [{"name": "AWS_SECRET_ACCESS_KEY", "value": "hunter2"}]
    sweep = TuningSweep.from_manifest(sweep_manifest(spec__cluster={"podTemplate": {"env": env}}))
    assert "hunter2" in sweep.model_dump_json()
    bare = sweep.without_pod_template()
    assert "hunter2" not in bare.model_dump_json()
    assert TuningSweep.from_manifest(bare.dump()) == bare
    assert bare.spec.parameters == sweep.spec.parameters
