"""The step clock: what the training process writes is what the supervisor reads."""

import os
import threading

import pytest

from tuningsweep_trainer.training.clock import ClockReading, StepClock


@pytest.fixture
def ends() -> tuple[StepClock, StepClock]:
    descriptor = StepClock.create()
    pair = StepClock(descriptor), StepClock(descriptor)
    os.close(descriptor)
    return pair


def test_steps_are_counted_and_timed(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    assert reader.read() == ClockReading()
    writer.start(10.0)
    assert reader.read() == ClockReading(started=10.0)
    writer.finish(10.5)
    writer.start(11.0)
    writer.finish(13.0)
    assert reader.read() == ClockReading(steps=2, seconds=2.5, longest=2.0)


def test_finish_between_steps_counts_nothing(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    writer.finish(5.0)
    assert reader.read() == ClockReading()


def test_waiting_for_the_supervisor_is_not_step_time(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    assert writer.suspend() == -1.0
    writer.start(0.001)
    elapsed = writer.suspend()
    assert reader.read().started is None
    writer.resume(2.0)
    started = reader.read().started
    assert started is not None
    assert elapsed > 0
    writer.finish(started + 3.0)
    assert reader.read().seconds == pytest.approx(3.0)


def test_steps_timed_elsewhere(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    writer.advance(4, 2.0)
    writer.advance(0, 9.0)
    assert reader.read() == ClockReading(steps=4, seconds=2.0, longest=0.5)


def test_a_reader_never_sees_half_a_step(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            writer.start(1.0)
            writer.finish(2.0)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(3000):
            reading = reader.read()
            assert reading.seconds == reading.steps
    finally:
        stop.set()
        thread.join()


def test_a_writer_that_died_in_the_middle_leaves_the_last_good_reading(ends: tuple[StepClock, StepClock]) -> None:
    writer, reader = ends
    writer.start(1.0)
    writer.finish(2.0)
    whole = reader.read()
    writer._field[0] += 1
    writer._field[1] += 1
    assert reader.read() == whole
