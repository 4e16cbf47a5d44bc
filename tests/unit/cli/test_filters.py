"""--where and --sort: a small language that compares and never evaluates."""

import pytest

from support.trials import BEST, OVER, RECORDS, record
from tuningsweep_cli.exits import CommandError
from tuningsweep_cli.filters import check_names, ordered, parse


def chosen(where: str) -> list[str]:
    terms = parse(where)
    return [r.trial for r in RECORDS if all(term.holds(r) for term in terms)]


@pytest.mark.parametrize(
    ("where", "trials"),
    [
        ("batch_size>30", ["trial-0001"]),
        ("batch_size <= 30", ["trial-0000", "trial-0002"]),
        ("batch_size<=30 and validation_loss<0.2", ["trial-0002"]),
        ("batch_size<=30, validation_loss<0.2", ["trial-0002"]),
        ("outcome=LimitExceeded", ["trial-0001"]),
        ("outcome != 'LimitExceeded'", ["trial-0000", "trial-0002"]),
        ("memory>=400Mi", ["trial-0001"]),
        ("duration>12s", ["trial-0001"]),
        ("duration>13s", []),
        ("learning_rate==1e-3", ["trial-0001"]),
        ("trial=trial-0002", ["trial-0002"]),
        ("validation_loss>=0", ["trial-0000", "trial-0002"]),  # OVER reported none
    ],
)
def test_comparisons(where: str, trials: list[str]) -> None:
    assert chosen(where) == trials


@pytest.mark.parametrize(
    "where", ["", "batch_size", ">3", "batch_size>", "a=1 or b=2", "a=1 and", "a=1 b=2", "__import__('os')", "a=b=c"]
)
def test_what_cant_be_read_is_refused_with_the_grammar(where: str) -> None:
    with pytest.raises(CommandError, match="write NAME OPERATOR VALUE"):
        parse(where)


def test_numbers_are_not_compared_with_words() -> None:
    with pytest.raises(CommandError, match="batch_size is a number, 'large' is not"):
        chosen("batch_size>large")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"no 'batchsize'; they have .*batch_size"):
        check_names(["batchsize"], RECORDS)
    check_names(["anything"], [])


def test_order_ascending_descending_and_missing_last() -> None:
    assert [r.trial for r in ordered(RECORDS, "validation_loss")] == ["trial-0002", "trial-0000", "trial-0001"]
    assert [r.trial for r in ordered(RECORDS, "-validation_loss")] == ["trial-0000", "trial-0002", "trial-0001"]
    assert next(iter(ordered(RECORDS, "-memory"))) is OVER
    assert [r.trial for r in ordered([BEST, OVER], "trial")] == ["trial-0001", "trial-0002"]


def test_words_and_numbers_of_one_parameter_can_be_ordered() -> None:
    mixed = [record("a", parameters={"p": "auto"}), record("b", parameters={"p": 3}), record("c", parameters={"p": 1})]
    assert [r.trial for r in ordered(mixed, "p")] == ["c", "b", "a"]
