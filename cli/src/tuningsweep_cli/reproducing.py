"""`tuningsweep reproduce`: manifests in, sweeps run by the trainer's reproduction, tidy data and pages out."""

import tempfile
from pathlib import Path

import typer

from tuningsweep_api.spec.sweep import TuningSweep
from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.manifest import load_sweep
from tuningsweep_cli.workspace import alone_in
from tuningsweep_trainer.report.errors import ReportError
from tuningsweep_trainer.reproduce.arms import Arm
from tuningsweep_trainer.reproduce.settings import Settings


def reproduce_thesis(
    settings: Settings, manifests: Path, chosen: str, *, pages_only: bool, docs: Path | None = None
) -> Exit:
    """Run, then show what there is, Markdown under `docs` included; the exit code. CommandError for what can't be run."""
    if pages_only:
        return _show(settings.results, docs)
    sweeps = load_workloads(manifests, chosen)
    with alone_in(settings.results):
        code = _run(sweeps, settings)
        if code is Exit.INTERRUPTED:
            return code
        return _show(settings.results, docs) or code


def load_workloads(folder: Path, chosen: str) -> list[TuningSweep]:
    """The sweeps of a folder, or those of them that are named; CommandError names what is not there."""
    sweeps = {sweep.metadata.name: sweep for sweep in map(load_sweep, sorted(folder.glob("*.yaml")))}
    if not sweeps:
        raise CommandError(f"{folder} holds no manifests; give the folder of the thesis' workloads with --manifests")
    names = [name.strip() for name in chosen.split(",") if name.strip()] or list(sweeps)
    unknown = [name for name in names if name not in sweeps]
    if unknown:
        raise CommandError(f"--workloads: there is no {', '.join(unknown)}; write some of {', '.join(sweeps)}")
    return [sweeps[name] for name in names]


def chosen_arms(chosen: str) -> tuple[Arm, ...]:
    """The arms that are named; CommandError names what there is not."""
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Arm)]
    if unknown:
        raise CommandError(f"--arms: there is no {', '.join(unknown)}; write some of {', '.join(Arm)}")
    return tuple(map(Arm, names))


def _run(sweeps: list[TuningSweep], settings: Settings) -> Exit:
    from tuningsweep_trainer.driver.ray_session import RayStartError
    from tuningsweep_trainer.driver.run import InterruptedSweepError
    from tuningsweep_trainer.reproduce.reproduction import reproduce
    from tuningsweep_trainer.reproduce.running import OtherSettingsError

    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as scratch:
        try:
            summary = reproduce(sweeps, settings, typer.echo, scratch)
        except InterruptedSweepError:
            typer.echo("interrupted; the same command goes on where it was")
            return Exit.INTERRUPTED
        except OtherSettingsError as error:
            raise CommandError(str(error)) from error
        except RayStartError as error:
            raise CommandError(str(error), Exit.FAILED) from error
    for name, why in {**summary.left_out, **summary.failed}.items():
        typer.echo(f"missing: {name}: {why}", err=True)
    return Exit.COMPLETE if summary.complete else Exit.FAILED


def _show(results: Path, docs: Path | None) -> Exit:
    from tuningsweep_trainer.reproduce.collect import collect
    from tuningsweep_trainer.reproduce.pages import write_pages

    typer.echo(f"tidy data: {collect(results)}")
    try:
        written = write_pages(results, docs)
    except ReportError as error:
        typer.echo(f"no pages: {error}", err=True)
        return Exit.FAILED
    for path in written:
        if path.suffix != ".png":
            typer.echo(f"written: {path}")
    return Exit.COMPLETE
