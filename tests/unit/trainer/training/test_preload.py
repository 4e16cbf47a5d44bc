"""What a fork server imports first: whose names win, what is refused, and that trials do not draw the same numbers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tuningsweep_trainer.training.preload import Preload, PreloadError, draw_again

FRESH = """
import sys
from tuningsweep_trainer.training.preload import Preload

Preload.model_validate_json(sys.argv[1]).run()
"""
"""A process that has imported nothing yet."""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module with the source that the test is parametrized with, on a path of its own."""
    name = f"preloaded_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(getattr(request, "param", ""))
    monkeypatch.setattr(sys, "path", sys.path[:])
    return name


def test_user_modules_are_found_in_the_folders_given(module: str, tmp_path: Path) -> None:
    Preload(modules=["tuningsweep"], python_path=[str(tmp_path)], user_modules=[module]).run()
    assert sys.modules[module].__file__ == str(tmp_path / f"{module}.py")


def test_a_users_file_can_not_take_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "tuningsweep.py").write_text("raise RuntimeError")
    preload = Preload(modules=["tuningsweep"], python_path=[str(tmp_path)], user_modules=["tuningsweep"])
    subprocess.run([sys.executable, "-c", FRESH, preload.model_dump_json(by_alias=True)], check=True)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import threading; done = threading.Event(); threading.Thread(target=done.wait).start()", "starts a thread"),
    ],
    indirect=["module"],
    ids=["missing", "leaves", "thread"],
)
def test_what_can_not_be_preloaded_is_named(module: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(PreloadError, match=says) as refused:
        Preload(python_path=[str(tmp_path)], user_modules=[module]).run()
    assert str(refused.value).startswith(module)
    if module in sys.modules:
        sys.modules[module].done.set()  # its thread would keep pytest from ending


def test_the_global_generator_gets_another_state() -> None:
    before = np.random.get_state()
    draw_again()
    assert not np.array_equal(np.random.get_state()[1], before[1])
