"""Values as machines read them: JSON, YAML, CSV, arguments of a program."""

import csv
import io
import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

import yaml

from tuningsweep_api.trials import ParameterValue, TrialRecord

RECORD_COLUMNS = (
    "outcome",
    "reason",
    "observed",
    "limit",
    "steps",
    "durationSeconds",
    "cpuSeconds",
    "peakMemory",
    "attempts",
    "startTime",
    "completionTime",
    "message",
)


_AMBIGUOUS = re.compile(r"[-+.\d].*|~|y|n|yes|no|on|off|true|false|null", re.IGNORECASE)
"""Texts that some reader of YAML takes for a number, a time, a truth value or nothing: `1e-5` and `y` are so to kubectl."""


class _Dumper(yaml.SafeDumper):
    """Quotes such texts, whether PyYAML would or not."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if _AMBIGUOUS.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def as_json(value: Any) -> str:
    """JSON with a final newline."""
    return json.dumps(value, indent=2) + "\n"


def as_yaml(value: Any) -> str:
    """YAML in the order of the fields."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120)
    return text


def as_yaml_documents(values: Sequence[Any]) -> str:
    """A document each."""
    text: str = yaml.dump_all(values, Dumper=_Dumper, sort_keys=False, width=120)
    return text


def as_csv(records: Sequence[TrialRecord]) -> str:
    """A line a trial; a column for each parameter, metric and field, in bytes and seconds."""
    parameters = _in_order(name for record in records for name in record.parameters)
    metrics = _in_order(name for record in records for name in record.metrics)
    columns = ["trial", *(f"parameters.{n}" for n in parameters), *(f"metrics.{n}" for n in metrics), *RECORD_COLUMNS]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(record) for record in records)
    return text.getvalue()


def as_arguments(parameters: dict[str, ParameterValue]) -> str:
    """One line for a shell to read (`eval`, which heeds the quotes): --batch_size=30 --kernel=rbf."""
    return shlex.join(f"--{name}={value}" for name, value in parameters.items()) + "\n"


def _in_order(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _row(record: TrialRecord) -> dict[str, Any]:
    fields = record.dump()
    return {
        "trial": record.trial,
        **{f"parameters.{name}": value for name, value in record.parameters.items()},
        **{f"metrics.{name}": value for name, value in record.metrics.items()},
        **{name: fields.get(name, "") for name in RECORD_COLUMNS},
    }
