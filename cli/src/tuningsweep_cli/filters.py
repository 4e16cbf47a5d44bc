"""Choosing and ordering trials: `--where 'batch_size>300 and reason=OOMKilled'`, `--sort -validation_loss`.

A small language of comparisons with `and` between them; nothing in it is evaluated as code.
"""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tuningsweep_api.quantities import duration_seconds, quantity_value
from tuningsweep_api.trials import TrialRecord
from tuningsweep_cli.exits import CommandError

Value = str | float

FIELDS: Final[dict[str, Callable[[TrialRecord], Value | None]]] = {
    "trial": lambda record: record.trial,
    "outcome": lambda record: str(record.outcome),
    "reason": lambda record: str(record.reason),
    "steps": lambda record: float(record.steps),
    "attempts": lambda record: float(record.attempts),
    "duration": lambda record: record.duration_seconds,
    "cpu": lambda record: record.cpu_seconds,
    "memory": lambda record: float(record.peak_memory),
    "observed": lambda record: record.observed,
    "limit": lambda record: record.limit,
    "end": lambda record: record.completion_time,
}
"""Names that a record has besides its parameters and metrics; a parameter or metric of such a name is hidden by it."""
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_TERM: Final = re.compile(
    r"""\s*(?P<name>[A-Za-z_][\w.-]*)\s*(?P<operator>>=|<=|!=|==|=|>|<)\s*"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^\s<>=!'"]+)\s*(?P<more>\band\b|,|$)"""
)
GRAMMAR: Final = (
    "write NAME OPERATOR VALUE, such as batch_size>300, with and between several; operators: = != < <= > >="
)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison."""

    name: str
    operator: str
    value: str

    def holds(self, record: TrialRecord) -> bool:
        """Whether the trial meets it; a trial without the value does not, whatever the operator."""
        found = value_of(record, self.name)
        if found is None:
            return False
        if isinstance(found, str):
            return _OPERATORS[self.operator](found, self.value)
        wanted = _number(self.value)
        if wanted is None:
            raise CommandError(
                f"--where: {self.name} is a number, {self.value!r} is not; write for example 300 or 400Mi"
            )
        return _OPERATORS[self.operator](found, wanted)


def parse(text: str) -> list[Term]:
    """The comparisons of a --where; CommandError says how to write one."""
    terms: list[Term] = []
    position = 0
    while position < len(text) or not terms:
        found = _TERM.match(text, position)
        ends_open = found is not None and found["more"] and not text[found.end() :].strip()
        if found is None or ends_open:
            raise CommandError(f"--where: can't read {text[position:].strip() or text!r}; {GRAMMAR}")
        terms.append(Term(found["name"], found["operator"], found["value"].strip("\"'")))
        position = found.end()
    return terms


def value_of(record: TrialRecord, name: str) -> Value | None:
    """A field, parameter or metric of a record, in bytes and seconds; None if it has none of that name."""
    if name in FIELDS:
        return FIELDS[name](record)
    value = record.parameters.get(name, record.metrics.get(name))
    return float(value) if isinstance(value, int) else value


def check_names(names: Iterable[str], records: Sequence[TrialRecord]) -> None:
    """CommandError if a name is nowhere in the records, with the names that are."""
    known = {*FIELDS, *(name for record in records for name in (*record.parameters, *record.metrics))}
    for name in names:
        if records and name not in known:
            raise CommandError(f"trials have no {name!r}; they have {', '.join(sorted(known))}")


def ordered(records: Sequence[TrialRecord], name: str) -> list[TrialRecord]:
    """Records by a value, descending with a minus before the name; those without it come last, in the order of their end."""
    descending, name = name.startswith("-"), name.removeprefix("-")
    check_names([name], records)
    having = [(value, record) for record in records if (value := value_of(record, name)) is not None]
    missing = [record for record in records if value_of(record, name) is None]
    by_value = sorted(having, key=lambda pair: (isinstance(pair[0], str), pair[0]), reverse=descending)
    return [record for _, record in by_value] + missing


def _number(text: str) -> float | None:
    """A number, a duration (50ms, 2m) or a quantity (400Mi)."""
    try:
        return float(text)
    except ValueError:
        pass
    for read in (duration_seconds, quantity_value):
        try:
            return float(read(text))
        except ValueError:
            continue
    return None
