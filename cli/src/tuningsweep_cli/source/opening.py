"""Decides where a sweep is read from; `options.RULE` says it to people, in --help."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from tuningsweep_api import names
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.options import ClusterOptions
from tuningsweep_cli.source.base import Source
from tuningsweep_cli.source.stored import open_results, unreadable

LOCAL_RESULTS: Final = Path("results")


@contextmanager
def opened(name: str, results: str | None, options: ClusterOptions, *, follow: bool = False) -> Iterator[Source]:
    """The sweep's source, given back at the end; `follow` one that lasts until the sweep has ended."""
    if results is not None and options.given:
        raise CommandError("--results reads stored results, -n, --context and --kubeconfig a cluster: give one of them")
    source = _open(name, results, options, follow=follow)
    try:
        yield source
    except BrokenPipeError:
        raise  # of standard output, whose reader has had enough
    except OSError as error:
        raise unreadable(source.place, error) from error
    finally:
        source.close()


def _open(name: str, results: str | None, options: ClusterOptions, *, follow: bool) -> Source:
    if results is not None:
        return open_results(results, name)
    local = LOCAL_RESULTS / name
    if not options.given and (local / names.SWEEP_KEY).is_file():
        typer.echo(f"reading the local run in {local} (-n NAMESPACE reads the cluster)", err=True)
        return open_results(str(local), name)
    from tuningsweep_cli.source.on_cluster import open_on_cluster

    return open_on_cluster(name, options, follow=follow)
