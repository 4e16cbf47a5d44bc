"""Traces stay bounded, keep their peaks, and come back from the store as they were."""

from tuningsweep_api.outcomes import Outcome, Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.results.store import LocalStore
from tuningsweep_trainer.results.traces import (
    CLOSING_KEPT,
    POINTS_KEPT,
    TracedReport,
    TracePoint,
    TraceRecorder,
    TraceWriter,
    TrialTrace,
    read_traces,
    traced_trials,
    write_trace,
)


def look(seconds: float, memory: int = 100, in_flight: float = 0.0) -> TracePoint:
    return TracePoint(seconds, memory, int(seconds * 10), 0.1, in_flight, 50.0, seconds)


def finish(recorder: TraceRecorder) -> TrialTrace:
    return recorder.trace(
        trial="trial-0001",
        parameters={"batch_size": 30},
        start_time="2026-01-01T00:00:00.000Z",
        duration=10.0,
        outcome=Outcome.LIMIT_EXCEEDED,
        reason=Reason.MEMORY_LIMIT_EXCEEDED,
    )


def test_a_day_of_looks_is_bounded_and_keeps_its_peak_and_its_last_looks() -> None:
    recorder = TraceRecorder()
    for index in range(100_000):
        recorder.look(look(index * 0.9, memory=10_000 if index == 55_555 else 100))
    trace = finish(recorder)
    assert POINTS_KEPT / 2 <= len(trace.points) <= POINTS_KEPT
    assert max(point.memory for point in trace.points) == 10_000
    times = [point.seconds for point in trace.points]
    assert times == sorted(times)
    assert [point.seconds for point in trace.closing] == [
        round((100_000 - CLOSING_KEPT + index) * 0.9, 4) for index in range(CLOSING_KEPT)
    ]


def test_a_short_trial_keeps_points_a_tenth_of_a_second_apart_with_the_highest_in_between() -> None:
    recorder = TraceRecorder()
    for index in range(25):
        recorder.look(look(index * 0.01, memory=index, in_flight=index / 100))
    trace = finish(recorder)
    assert [(point.seconds, point.memory, point.step_in_flight, point.step_seconds) for point in trace.points] == [
        (0.0, 9, 0.09, 0.09),
        (0.1, 19, 0.19, 0.19),
        (0.2, 24, 0.24, 0.24),
    ]


def test_reports_are_bounded_and_the_last_one_is_kept() -> None:
    recorder = TraceRecorder()
    for step in range(10_001):
        recorder.report(TracedReport(step / 10, step, float(step)))
    reports = finish(recorder).reports
    assert POINTS_KEPT / 2 <= len(reports) <= POINTS_KEPT
    assert reports[-1].step == 10_000
    assert [report.step for report in reports] == sorted(report.step for report in reports)


def test_only_changed_limits_are_noted() -> None:
    recorder = TraceRecorder()
    recorder.limits(0.0, Limits(memory="400Mi"))
    recorder.limits(1.0, Limits(memory="400Mi"))
    recorder.limits(2.0, Limits(memory="300Mi"))
    assert [(since.seconds, since.limits.memory) for since in finish(recorder).limits] == [
        (0.0, "400Mi"),
        (2.0, "300Mi"),
    ]


def test_traces_come_back_oldest_first_and_a_torn_one_is_passed_over(tmp_path, caplog) -> None:
    store = LocalStore(tmp_path)
    recorder = TraceRecorder()
    recorder.look(look(0.0))
    recorder.report(TracedReport(0.5, 1, 0.3, {"accuracy": 0.9}))
    trace = finish(recorder)
    later = {"duration_seconds": 2.0, "start_time": "2026-01-01T00:00:01.500Z"}
    write_trace(store, trace.model_copy(update=later))
    write_trace(store, trace)
    store.write("traces/trial-0001/torn.json", b'{"trial": "tri')
    assert [found.duration_seconds for found in read_traces(store, "trial-0001")] == [10.0, 2.0]
    assert read_traces(store, "trial-0001")[0] == trace
    assert "torn.json" in caplog.text
    assert traced_trials(store) == ["trial-0001"]
    assert read_traces(store, "trial-0002") == []


def test_a_writer_that_was_closed_has_written_everything(tmp_path) -> None:
    writer = TraceWriter(str(tmp_path))
    for second in range(20):
        writer.put(finish(TraceRecorder()).model_copy(update={"start_time": f"2026-01-01T00:00:{second:02d}.000Z"}))
    writer.close()
    assert len(read_traces(LocalStore(tmp_path), "trial-0001")) == 20


def test_a_trace_that_cannot_be_written_is_logged_and_hurts_nobody(tmp_path, caplog) -> None:
    (tmp_path / "traces").write_text("in the way")
    writer = TraceWriter(str(tmp_path))
    writer.put(finish(TraceRecorder()))
    writer.close()
    assert "is lost" in caplog.text
