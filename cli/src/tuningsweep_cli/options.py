"""Options that several commands share, spelled as kubectl spells them, and the words of --help about them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import typer

from tuningsweep_cli.completion import sweep_names, trial_names

RULE: Final = (
    "SWEEP is looked up in --results if given; on the cluster if -n, --context or --kubeconfig is given;"
    " else in ./results/SWEEP if that is there, else on the cluster."
)
READING_RIGHTS: Final = (
    "On a cluster this needs: get tuningsweeps, secrets; list pods; get and create pods/portforward; of a sweep that no"
    " longer runs instead: get rayjobs, configmaps; get, create, delete pods; get and create pods/exec"
    " (manifests/cli-role.yaml). A sweep that no longer runs is read by a pod that mounts its claim read-only and is"
    " deleted afterwards."
)
CLUSTER_PANEL: Final = "Cluster"


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which cluster and namespace, as kubectl's options of the same names."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None

    @property
    def given(self) -> bool:
        """Whether a cluster was asked for."""
        return any((self.namespace, self.context, self.kubeconfig))


class TrialsFormat(StrEnum):
    """How trials are written."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


class ListFormat(StrEnum):
    """How sweeps are written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class BestFormat(StrEnum):
    """How the best trial is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    ARGS = "args"
    POINTS = "points"


class ManifestFormat(StrEnum):
    """How manifests are written."""

    YAML = "yaml"
    JSON = "json"


Sweep = Annotated[str, typer.Argument(help="Name of the sweep.", autocompletion=sweep_names)]
Trial = Annotated[str, typer.Argument(help="Name of the trial, e.g. trial-0003.", autocompletion=trial_names)]
Results = Annotated[
    str | None,
    typer.Option(help="Folder or URI (s3://...) with the sweep's results, or the one above it.", show_default=False),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "-n",
        "--namespace",
        help="Namespace; the context's if left out.",
        show_default=False,
        rich_help_panel=CLUSTER_PANEL,
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        help="Context of the kubeconfig; the current one if left out.",
        show_default=False,
        rich_help_panel=CLUSTER_PANEL,
    ),
]
Kubeconfig = Annotated[
    str | None,
    typer.Option(
        help="Kubeconfig file; KUBECONFIG or ~/.kube/config if left out.",
        show_default=False,
        rich_help_panel=CLUSTER_PANEL,
    ),
]
