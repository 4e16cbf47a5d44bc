"""Figures are chosen by name, and each has a module that can be imported without Ray."""

import subprocess
import sys

import pytest

from benchmarks.machine import ROOT
from benchmarks.registry import FIGURES, chosen
from tuningsweep_trainer.machine import processor


def test_all_figures_or_those_that_are_named() -> None:
    assert chosen("") == list(FIGURES)
    last, first = FIGURES[-1], FIGURES[0]
    assert chosen(f"{last.name}, {first.name}") == [last, first]


def test_an_unknown_figure_is_named() -> None:
    with pytest.raises(ValueError, match=r"no figure 'speed'; there are .*trial_overhead"):
        chosen("speed")


def test_every_figure_has_a_module_and_every_module_a_figure() -> None:
    modules = {path.stem for path in (ROOT / "benchmarks" / "figures").glob("*.py")} - {"__init__"}
    assert modules == {figure.name for figure in FIGURES}
    probe = "import importlib, sys; [importlib.import_module('benchmarks.figures.' + name) for name in sys.argv[1:]]"
    subprocess.run([sys.executable, "-c", probe, *sorted(modules)], cwd=ROOT, check=True)


def test_the_processor_is_named() -> None:
    assert processor("processor : 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert processor("nothing")
