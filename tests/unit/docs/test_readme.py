"""The README's example is a sweep that does what is said of it, and its commands name what the Dockerfile and chart take."""

import re
from pathlib import Path
from typing import Any

import yaml

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_operator.builders.pods import build_head_pod, build_worker_pod
from tuningsweep_operator.settings import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "README.md").read_text()
VALUES: dict[str, Any] = yaml.safe_load((ROOT / "charts" / "tuningsweep" / "values.yaml").read_text())


def test_the_example_runs_as_many_trials_at_a_time_as_it_says() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    spec = TuningSweep.from_manifest(yaml.safe_load(example)).spec
    workers = spec.cluster.workers
    assert spec.parallel_trial_count == workers.max_replicas * workers.trials_per_worker


def test_images_are_built_with_every_argument_that_has_no_default() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for argument in set(re.findall(r"^ARG (\w+)$", dockerfile, re.MULTILINE)):
        assert f"{argument}=${argument}" in PAGE
    for target in ("operator", "trainer"):
        assert re.search(rf"^FROM \w+ AS {target}$", dockerfile, re.MULTILINE)
        assert f'{target}.image.repository="$registry/{target}"' in PAGE
        assert VALUES[target]["image"]["repository"].endswith(f"/{target}")
    assert f":{yaml.safe_load((ROOT / 'charts' / 'tuningsweep' / 'Chart.yaml').read_text())['appVersion']}" in PAGE


def test_the_quickstart_asks_for_the_room_that_is_named() -> None:
    sweep = TuningSweep.from_manifest(yaml.safe_load((ROOT / "manifests" / "samples" / "quickstart.yaml").read_text()))
    pods = [
        build_head_pod(sweep, Settings(), runs_trials=False, autoscaled=False),
        build_worker_pod(sweep, Settings()),
    ]
    asked = [pod["spec"]["containers"][0]["resources"]["requests"] for pod in pods]
    cpu = sum(int(requests["cpu"].removesuffix("m")) for requests in asked)
    memory = sum(int(requests["memory"].removesuffix("Mi")) for requests in asked)
    assert f"the quickstart {cpu}m and {memory / 1024:g}Gi" in PAGE
