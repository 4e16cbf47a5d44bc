"""Figures hold what they should: axes, limits over time, bounded curves, charts for the Vega-Lite that is inlined."""

import altair
import pytest

from support.example_results import example_sweep
from support.results import START, record, trace
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.report.curve_rows import FEWEST_POINTS, curve_rows, thinned
from tuningsweep_trainer.report.figures.curves import MEMORY, curves_figure
from tuningsweep_trainer.report.figures.parallel import MOST_LINES, make_axis, parallel_figure, plain
from tuningsweep_trainer.report.figures.theme import DARK, LIGHT, OUTCOMES, SHAPES, VEGA_LITE
from tuningsweep_trainer.report.figures.timeline import timeline_figure
from tuningsweep_trainer.report.figures.trials import order_figure, pareto_figure
from tuningsweep_trainer.report.gather import Results
from tuningsweep_trainer.report.limits import LimitPeriod, limit_periods
from tuningsweep_trainer.report.rows import RUNNING, trial_rows
from tuningsweep_trainer.results.traces import LimitsSince, TracePoint, TrialTrace

SWEEP = example_sweep()
PARAMETERS = {"batch_size": 32, "width": 64, "learning_rate": 0.001, "optimizer": "sgd"}


def rows_of(*records):
    return trial_rows(Results("here", SWEEP, START, records=list(records)))


def test_every_outcome_has_a_colour_in_both_themes_and_a_shape_of_its_own() -> None:
    from tuningsweep_api.outcomes import Outcome

    assert set(OUTCOMES) == {*Outcome, RUNNING}
    for palette in (LIGHT, DARK, SHAPES):
        assert len(set(palette)) == len(OUTCOMES)


def test_charts_are_for_the_version_that_is_inlined() -> None:
    assert altair.SCHEMA_VERSION.startswith(f"v{VEGA_LITE}.")


def test_figures_without_trials_say_why_they_are_empty() -> None:
    figures = [
        pareto_figure([], SWEEP.spec.objective, None),
        order_figure([], SWEEP.spec.objective),
        parallel_figure([], SWEEP),
        timeline_figure([]),
        curves_figure(MEMORY, [], [], 0, 0),
    ]
    assert [figure.chart for figure in figures] == [None] * 5
    assert all(figure.about for figure in figures)


def test_one_trial_gives_every_figure_a_chart() -> None:
    rows = rows_of(record(0, parameters=PARAMETERS))
    assert pareto_figure(rows, SWEEP.spec.objective, 1 << 28).data["points"][0]["front"] is True
    assert order_figure(rows, SWEEP.spec.objective).data["best"][-1] == {"order": 1, "objective": 0.5}
    assert {line["at"] for line in parallel_figure(rows, SWEEP).data["lines"]} == {0.5}
    assert len(timeline_figure(rows).data["bars"]) == 1


def test_a_wide_range_of_numbers_has_a_log_axis() -> None:
    axis = make_axis("width", [1, 10, 100])
    assert axis.positions == [0.0, 0.5, 1.0]
    assert axis.ticks == [(1.0, "100"), (0.5, "10"), (0.0, "1")]


def test_a_narrow_range_has_a_linear_axis_with_even_ticks() -> None:
    axis = make_axis("width", [0, 1, 2, 3, 4, 5, 6, 10])
    assert axis.positions[1] == pytest.approx(0.1)
    assert [label for _, label in axis.ticks] == ["10", "7.5", "5", "2.5", "0"]


def test_values_that_are_no_numbers_have_places_in_a_row() -> None:
    axis = make_axis("optimizer", ["sgd", None, "adam", "sgd"])
    assert axis.positions == [0.0, None, 1.0, 0.0]
    assert make_axis("mixed", ["auto", 3]).positions == [0.0, 1.0]


def test_many_categories_have_few_labels() -> None:
    axis = make_axis("name", [f"a rather long name {index}" for index in range(100)])
    assert len(axis.ticks) == 12
    assert all(len(label) <= 14 for _, label in axis.ticks)


def test_nothing_known_gives_an_axis_without_ticks() -> None:
    assert make_axis("step", [None, None]).ticks == []


@pytest.mark.parametrize(
    ("value", "text"), [(40000.0, "40000"), (0.000123, "0.000123"), (2.5, "2.5"), (1e9, "1e+09"), (0, "0")]
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    assert plain(value) == text


def test_more_lines_than_can_be_told_apart_are_sampled_with_the_best_among_them() -> None:
    records = [
        record(index, parameters=PARAMETERS, metrics={"validation_loss": 0.1 if index == 1001 else 0.5})
        for index in range(2000)
    ]
    figure = parallel_figure(rows_of(*records), SWEEP)
    assert len({line["trial"] for line in figure.data["lines"]}) <= MOST_LINES + 1
    assert {line["trial"] for line in figure.data["lines"] if line.get("best")} == {"trial-1001"}
    assert "of 2000 trials are drawn" in figure.about


def test_thinned_curves_keep_the_peak_and_the_last_look() -> None:
    points = [(TracePoint(float(i), 999 if i == 137 else i % 7, i, None, 0.0, 0.0), 0.0) for i in range(500)]
    kept = thinned(points, 50)
    assert len(kept) == 50
    assert max(point.memory for point, _ in kept) == 999
    assert kept[-1] == points[-1]


def test_curves_together_are_bounded() -> None:
    points = [TracePoint(float(index), index + 1, index, 0.1, 0.0, 0.0) for index in range(256)]
    traces = {f"trial-{i:04d}": [trace(f"trial-{i:04d}", points=points, closing=[])] for i in range(1000)}
    assert len(curve_rows([], traces)) == 1000 * FEWEST_POINTS


def test_a_curve_ends_with_the_newest_look() -> None:
    long = trace("trial-0000", closing=[TracePoint(1.5, 300 << 20, 12, 0.1, 0.0, 0.0)])
    last = curve_rows(rows_of(record(0)), {"trial-0000": [long]})[-1]
    assert (last["memory"], last["last"]) == (300.0, True)


def test_the_longest_step_never_falls() -> None:
    points = [TracePoint(float(i), 1, i, None, flight, 0.0) for i, flight in enumerate((0.0, 0.3, 0.1, 0.5, 0.2))]
    rows = curve_rows([], {"trial-0000": [trace("trial-0000", points=points, closing=[])]})
    assert [row["longest"] for row in rows] == [None, 300.0, 300.0, 500.0, 500.0]


def changed(seconds: float, memory: str | None) -> LimitsSince:
    return LimitsSince(seconds=seconds, limits=Limits(memory=memory))


def periods(*traces: TrialTrace) -> list[LimitPeriod]:
    return limit_periods(traces, SWEEP.spec.limits, lambda limits: limits.memory_bytes)


def test_limits_over_time_are_those_the_traces_saw() -> None:
    start = int(START.timestamp() * 1000)
    first = trace("a", limits=[changed(0.0, "300Mi"), changed(5.0, "200Mi")])
    second = trace("b", limits=[changed(0.0, "300Mi"), changed(5.01, "200Mi")])
    assert periods(first, second) == [LimitPeriod(300 << 20, start), LimitPeriod(200 << 20, start + 5000)]


def test_a_limit_that_was_taken_away_and_given_back_has_two_periods() -> None:
    found = periods(trace("a", limits=[changed(0.0, "300Mi"), changed(1.0, None), changed(2.0, "300Mi")]))
    assert [period.value for period in found] == [300 << 20, 300 << 20]


def test_without_traces_the_declared_limit_holds() -> None:
    assert [period.value for period in periods()] == [300 << 20]
    assert limit_periods([], Limits(), lambda limits: limits.memory_bytes) == []


def test_a_line_is_broken_where_a_trial_has_no_value() -> None:
    figure = parallel_figure(
        rows_of(record(0, parameters=PARAMETERS), record(1, parameters=PARAMETERS, metrics={})), SWEEP
    )
    objective = len(SWEEP.spec.parameters)
    assert [line["at"] for line in figure.data["lines"] if line["axis"] == objective] == [0.5, None]


def test_a_curve_stops_before_the_looks_at_a_process_that_has_ended() -> None:
    points = [TracePoint(0.0, 100 << 20, 0, None, 0.0, 0.0), TracePoint(1.0, 0, 5, 0.1, 0.0, 0.0)]
    closing = [TracePoint(0.9, 90 << 20, 5, 0.1, 0.0, 0.0), TracePoint(1.0, 0, 5, 0.1, 0.0, 0.0)]
    rows = curve_rows([], {"trial-0000": [trace("trial-0000", points=points, closing=closing)]})
    assert [(row["seconds"], row["memory"]) for row in rows] == [(0.0, 100.0), (0.9, 90.0)]


def test_trials_without_an_objective_are_counted_where_they_have_no_mark() -> None:
    rows = rows_of(record(0, parameters=PARAMETERS), record(1, parameters=PARAMETERS, metrics={}))
    for figure in (pareto_figure(rows, SWEEP.spec.objective, None), order_figure(rows, SWEEP.spec.objective)):
        assert figure.about.endswith("Not shown: 1 trial that never reported the objective.")
