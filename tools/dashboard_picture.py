"""Makes docs/images/dashboard-*.png: the dashboard Sweep of a real local run, measured by a real Prometheus.

Called by `make pictures`. There is no Grafana server behind it: tools/grafana draws the chart's dashboard JSON with the
components of @grafana/ui, bundled once into the cache. Needs chromium, npm, and Go for Prometheus.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import yaml
from chromium import chromium

from support.control_plane import free_port
from support.dashboards import concrete, load, variable_queries
from support.prometheus import Prometheus, running_prometheus
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep

ROOT: Final = Path(__file__).parent.parent
IMAGES: Final = ROOT / "docs" / "images"
SOURCES: Final = Path(__file__).parent / "grafana"
MANIFEST: Final = Path(__file__).parent / "dashboard_sweep.yaml"
SCRAPE_SECONDS: Final = 0.5
"""Between two scrapes and two points of a graph: trials last some seconds each."""
RATE_WINDOW: Final = "5s"
WIDTH: Final = 1500
"""CSS pixels."""


def bundle() -> Path:
    """The page, built unless the cache has it from the same sources."""
    sources = sorted(path for path in SOURCES.rglob("*") if path.is_file())
    key = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = (
        Path(os.environ.get("TUNINGSWEEP_CACHE", Path.home() / ".cache" / "tuningsweep")) / "bin" / f"grafana-ui-{key}"
    )
    if not (folder / "page.js").is_file():
        npm = shutil.which("npm") or sys.exit("no npm on PATH: apt-get install npm")
        shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
        for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *arguments], cwd=folder, check=True)
        shutil.rmtree(folder / "node_modules")
    return folder / "page.html"


def measured_run(prometheus_folder: Path, results: Path) -> dict[str, Any]:
    """Run the sweep under the eyes of a Prometheus; what the page draws."""
    sweep = TuningSweep.from_manifest(yaml.safe_load(MANIFEST.read_text()))
    port = free_port()
    configuration = {
        "global": {"scrape_interval": f"{round(SCRAPE_SECONDS * 1000)}ms"},
        "scrape_configs": [
            {"job_name": "trials", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        ],
    }
    with running_prometheus(yaml.safe_dump(configuration), prometheus_folder) as prometheus:
        run_sweep(sweep, DriverOptions(results=str(results), metrics_port=port, log_to_driver=False))
        return drawing(prometheus, load("sweep"))


def drawing(prometheus: Prometheus, dashboard: dict[str, Any]) -> dict[str, Any]:
    """The dashboard and the answers to all its queries, from the first trial to the last."""
    chosen: dict[str, str] = {}
    for variable, query in zip(_query_variables(dashboard), variable_queries("sweep"), strict=True):
        selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        (chosen[variable["name"]],) = prometheus.get(f"label/{label}/values", **{"match[]": concrete(selector, chosen)})
    (seen,) = prometheus.get(
        "query_range", query="max(tuningsweep_trials_running) > 0", start=time.time() - 3600, end=time.time(), step=1
    )["result"]
    start, end = seen["values"][0][0], seen["values"][-1][0]
    variables = chosen | {"__rate_interval": RATE_WINDOW, "__range": f"{round(end - start)}s"}
    answers = {
        panel["id"]: [
            {"target": target, "result": _answer(prometheus, target, variables, start, end)}
            for target in panel["targets"]
        ]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    }
    labels = {variable["label"]: chosen[variable["name"]] for variable in _query_variables(dashboard)}
    times = {"from": start, "to": end, "step": SCRAPE_SECONDS}
    return {"dashboard": dashboard, "answers": answers, "variables": labels, **times}


def _query_variables(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [variable for variable in dashboard["templating"]["list"] if variable["type"] == "query"]


def _answer(
    prometheus: Prometheus, target: dict[str, Any], variables: dict[str, str], start: float, end: float
) -> list[dict[str, Any]]:
    expression = concrete(target["expr"], variables)
    if target["instant"]:
        return list(prometheus.get("query", query=expression, time=end)["result"])
    parameters = {"query": expression, "start": start, "end": end, "step": SCRAPE_SECONDS}
    return list(prometheus.get("query_range", **parameters)["result"])


def photograph(html: Path, drawn: dict[str, Any]) -> None:
    """The whole dashboard in both of Grafana's themes."""
    errors: list[str] = []
    with chromium() as browser:
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(html.as_uri())
            page.evaluate("([drawn, theme, width]) => window.draw(drawn, theme, width)", [drawn, theme, WIDTH])
            page.wait_for_timeout(1000)
            page.screenshot(path=IMAGES / f"dashboard-{theme}.png", full_page=True)
    if errors:
        sys.exit(f"the page met an error: {errors[0]}")


def main() -> None:
    """Build, run, draw."""
    page = bundle()
    with tempfile.TemporaryDirectory(prefix="dashboard-picture-") as temporary:
        prometheus, results = Path(temporary) / "prometheus", Path(temporary) / "results"
        prometheus.mkdir()
        photograph(page, measured_run(prometheus, results))


if __name__ == "__main__":
    main()
