"""Which context of the user's kubeconfig files is meant, chosen as kubectl chooses: of several files, the first counts.

The Kubernetes client would take the current context of the last one, and so act on another cluster than kubectl.
"""

import os
from pathlib import Path
from typing import Any, Final

import yaml

from tuningsweep_cli.exits import CommandError, Exit
from tuningsweep_cli.options import ClusterOptions

ADVICE: Final = "set KUBECONFIG or give --kubeconfig, or give --results for a local run"


def location(options: ClusterOptions) -> str:
    """The files, as KUBECONFIG lists them."""
    return options.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"


def choose_context(options: ClusterOptions) -> tuple[str, str | None]:
    """Name of the context, and its namespace; CommandError if there is none."""
    contents = [_content(file) for file in _files(options)]
    contexts: dict[str, dict[str, Any]] = {}
    for content in contents:
        for context in content.get("contexts") or []:
            contexts.setdefault(str(context["name"]), context.get("context") or {})
    chosen = options.context or next((name for c in contents if (name := c.get("current-context"))), None)
    if chosen is None:
        raise CommandError(f"no cluster to ask: no kubeconfig names a current context; {ADVICE}", Exit.CLUSTER)
    if chosen not in contexts:
        listed = ", ".join(sorted(contexts)) or "none"
        raise CommandError(f"the kubeconfig has no context {chosen!r}; it has: {listed}")
    return chosen, contexts[chosen].get("namespace")


def _files(options: ClusterOptions) -> list[Path]:
    listed = location(options)
    files = [Path(name).expanduser() for name in listed.split(os.pathsep) if name]
    found = [file for file in files if file.exists()]
    if not found:
        raise CommandError(f"no cluster to ask: there is no kubeconfig at {listed}; {ADVICE}", Exit.CLUSTER)
    return found


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise CommandError(f"the kubeconfig {file} can't be read: {words}; {ADVICE}", Exit.CLUSTER) from error
    if not isinstance(content, dict):
        raise CommandError(f"the kubeconfig {file} is no mapping; {ADVICE}", Exit.CLUSTER)
    return content
