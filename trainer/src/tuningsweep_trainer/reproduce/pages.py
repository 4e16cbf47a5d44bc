"""`write_pages`: from the tidy data to figures, claims and pages; called by `tuningsweep reproduce` once its runs have ended.

altair, jinja2, Pillow and vl-convert come with the extra `tuningsweep-trainer[report]`: they are imported when pages are
written.
"""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.report.write import need_extra
from tuningsweep_trainer.reproduce.reading import read

if TYPE_CHECKING:
    from tuningsweep_trainer.report.figures.figure import Figure

IN_DOCS: Final = ("figure-08", "figure-10", "figure-13", "figure-16")
"""Figures whose images go to docs/: step time and memory within runs, and by setting on MNIST."""
DOCS_COLOURS: Final = 64
DOCS_SCALE: Final = 1.0
"""Pixels of an image in docs/ for one of the chart; with few colours, files that a repository can hold."""


def write_pages(results: Path, docs: Path | None) -> list[Path]:
    """Write figures, claims.json and reproduction.html under `results`, Markdown and a few images under `docs`; the paths.

    Draws what is there: workloads and arms that were not run are named as not measured. ReportError says what is missing.
    """
    need_extra("the reproduction's page")
    from tuningsweep_trainer.reproduce import markdown, page
    from tuningsweep_trainer.reproduce.claims.table import claims
    from tuningsweep_trainer.reproduce.figures import savings as savings_figure
    from tuningsweep_trainer.reproduce.figures.thesis import thesis_figures
    from tuningsweep_trainer.reproduce.savings import outcomes

    tidy = read(results)
    measured, compared = claims(tidy), outcomes(tidy.savings)
    figures, saved = thesis_figures(tidy), savings_figure.draw(compared)
    content = page.Content(tidy, measured, compared, [*figures, saved], version("tuningsweep-trainer"))
    texts = {
        results / "claims.json": json.dumps([claim.as_json() for claim in measured], indent=1, allow_nan=False) + "\n",
        results / "reproduction.html": page.render(content, datetime.now(UTC)),
    }
    if docs is not None:
        texts[docs / "reproduction.md"] = markdown.reproduction(tidy, measured, figures, IN_DOCS)
        texts[docs / "savings.md"] = markdown.savings(tidy, compared, saved)
    try:
        return [*_texts(texts), *_images([*figures, saved], results / "figures", docs)]
    except OSError as error:
        raise ReportError(f"{error.filename}: {error.strerror}; choose another place") from error


def _texts(texts: dict[Path, str]) -> list[Path]:
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _images(figures: "list[Figure]", folder: Path, docs: Path | None) -> list[Path]:
    from tuningsweep_trainer.report.png import write_png
    from tuningsweep_trainer.reproduce.figures.savings import NAME

    folder.mkdir(parents=True, exist_ok=True)
    drawn = [figure for figure in figures if figure.chart is not None]
    written = [write_png(figure, folder / f"{figure.name}.png") for figure in drawn]
    if docs is not None:
        names = {name: f"reproduction-{name}.png" for name in IN_DOCS} | {NAME: f"{NAME}.png"}
        images = docs / "images"
        images.mkdir(parents=True, exist_ok=True)
        chosen = [figure for figure in drawn if figure.name in names]
        written += [_small(write_png(figure, images / names[figure.name], DOCS_SCALE)) for figure in chosen]
    return written


def _small(path: Path) -> Path:
    from PIL import Image

    with Image.open(path) as image:
        few = image.convert("RGB").quantize(DOCS_COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path
