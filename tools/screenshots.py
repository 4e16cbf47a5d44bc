"""Makes the pictures in docs/images from a real run of the quickstart: the live table and the report, light and dark.

Called by `make pictures` (a minute and a half), after the table or the page has changed. Needs chromium.
"""

import io
import re
import tempfile
from pathlib import Path

import yaml
from chromium import chromium
from rich.console import Console, RenderableType

from tuningsweep_api.messages import SweepState
from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_api.trials import Metrics, ParameterValue, TrialRecord
from tuningsweep_cli.tables import sweep_view
from tuningsweep_cli.workspace import close_workspace, workspace
from tuningsweep_trainer.driver.options import DriverOptions
from tuningsweep_trainer.driver.run import run_sweep
from tuningsweep_trainer.report.write import write_report

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1200, 1500
"""Of the report's picture, CSS pixels."""
COLUMNS = 128
"""Of the table's."""


class Camera:
    """A listener that keeps the live table of the moment with the most to see."""

    def __init__(self, sweep: TuningSweep) -> None:
        self._sweep = sweep
        self._ended: list[TrialRecord] = []
        self._view: RenderableType = ""

    def on_state(self, state: SweepState) -> None:
        """Take a picture while some trials have ended and others run."""
        if len(self._ended) >= 6 and state.running and (not self._view or any(t.metrics for t in state.running)):
            self._view = sweep_view(self._sweep, state.trials, state.running, self._ended[-12:])

    def save(self, path: Path) -> None:
        """The picture as SVG, in whatever monospaced font the viewer has."""
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)
        console.print(self._view)
        text = console.export_svg(title="tuningsweep run")
        path.write_text(re.sub(r"@font-face \{.*?\n    \}\n", "", text, flags=re.DOTALL))

    def trial_ended(self, record: TrialRecord) -> None:
        """Shown below those that run."""
        self._ended.append(record)

    def trial_started(self, name: str, parameters: dict[str, ParameterValue]) -> None:
        """Comes with the next state."""

    def trial_reported(self, name: str, metrics: Metrics, step: int) -> None:
        """Comes with the next state."""

    def sweep_ended(self, state: SweepState) -> None:
        """Nothing to see."""


def photograph(page: Path) -> None:
    """The top of the report in both colour schemes."""
    with chromium() as browser:
        for scheme in ("light", "dark"):
            view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            view.goto(page.as_uri())
            view.wait_for_timeout(1500)
            view.screenshot(path=IMAGES / f"report-{scheme}.png")


def main() -> None:
    """Run the quickstart and take the pictures."""
    IMAGES.mkdir(exist_ok=True)
    sweep = TuningSweep.from_manifest(yaml.safe_load((ROOT / "manifests" / "samples" / "quickstart.yaml").read_text()))
    camera = Camera(sweep)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / sweep.metadata.name
        with workspace(sweep, folder, fresh=False) as (named, _):
            options = DriverOptions(
                results=str(folder), listeners=[camera], on_state=camera.on_state, log_to_driver=False
            )
            state = run_sweep(named, options)
            close_workspace(folder, state.model_dump_json(by_alias=True))
        camera.save(IMAGES / "live-table.svg")
        photograph(write_report(str(folder), Path(temporary) / "report.html").page)


if __name__ == "__main__":
    main()
