"""The commands on a results folder, called as a person calls them: what they print, and their exit codes."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from support.sweeps import BASE, edited
from support.trials import make_results
from tuningsweep_cli.exits import MEANINGS, Exit
from tuningsweep_cli.main import app

NAME = BASE["metadata"]["name"]
COMMANDS = {command.name: command for command in typer.main.get_command(app).commands.values()}  # type: ignore[attr-defined]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """./results with one unfinished run, and no kubeconfig anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    monkeypatch.delenv("COLUMNS", raising=False)
    return make_results(tmp_path / "results" / NAME)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = call(name, "--help")
    assert shown.exit_code == 0
    assert "Example: " in shown.output
    assert str(COMMANDS[name].help).strip()


def test_help_has_the_exit_codes_and_the_rule() -> None:
    words = " ".join(call("--help").output.split())
    for code in Exit:
        assert f"{code.value} {MEANINGS[code]}" in words
    assert "else in ./results/SWEEP if that is there, else on the cluster" in words


def test_help_and_bad_input_load_nothing_heavy() -> None:
    heavy = {"ray", "kubernetes", "sklearn", "plotext", "pydantic"}
    code = f"import sys, tuningsweep_cli.main; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_local_run_is_found_by_name_and_said_to_be_one(results: Path) -> None:
    shown = call("trials", NAME)
    assert shown.exit_code == 0
    assert f"reading the local run in results/{NAME}" in shown.stderr
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["trial", "trial-0003", "trial-0000", "trial-0001", "trial-0002"]
    assert "running" in lines[1]
    assert "MemoryLimitExceeded: 500Mi > 400Mi" in lines[3]


@pytest.mark.parametrize("above", [False, True])
def test_results_may_be_the_folder_or_the_one_above(results: Path, *, above: bool) -> None:
    shown = call("trials", NAME, "--results", str(results.parent if above else results), "-o", "json")
    assert [record["trial"] for record in json.loads(shown.stdout)] == ["trial-0000", "trial-0001", "trial-0002"]
    assert shown.stderr == ""


def test_trials_are_filtered_ordered_and_written_for_machines(results: Path) -> None:
    chosen = call("trials", NAME, "--outcome", "Succeeded", "--sort", "validation_loss", "-o", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(chosen)))
    assert [row["trial"] for row in rows] == ["trial-0002", "trial-0000"]
    assert (rows[0]["metrics.validation_loss"], rows[0]["parameters.batch_size"]) == ("0.125", "30")
    by_reason = call("trials", NAME, "--reason", "MemoryLimitExceeded", "-o", "yaml").stdout
    assert [record["trial"] for record in yaml.safe_load(by_reason)] == ["trial-0001"]
    filtered = call("trials", NAME, "--where", "batch_size>300")
    assert filtered.stdout.strip() == "no trials"
    wide = call("trials", NAME, "--outcome", "LimitExceeded", "-o", "wide").stdout
    assert "memory 500.0Mi is over limits.memory 400.0Mi" in " ".join(wide.split())


def test_best_shows_the_whole_front_of_several_objectives(results: Path) -> None:
    manifest = json.loads((results / "sweep.json").read_text())
    beside = [{"type": "minimize", "objectiveMetricName": "peak_memory_bytes"}]
    manifest["spec"]["objective"]["additionalObjectives"] = beside
    (results / "sweep.json").write_text(json.dumps(manifest))
    records = [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]
    for record, mebibytes in zip(records, (100, 50, 200), strict=True):
        record["metrics"]["peak_memory_bytes"] = mebibytes * 2**20
    (results / "trials.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    lines = [line.split()[:3] for line in call("best", NAME).stdout.splitlines()]
    assert lines == [
        ["trial", "validation_loss", "peak_memory_bytes"],
        ["trial-0002", "0.125", "200Mi"],
        ["trial-0000", "0.25", "100Mi"],
    ]
    shown = json.loads(call("best", NAME, "-o", "json").stdout)
    assert (shown["trial"], [trial["trial"] for trial in shown["paretoFront"]]) == (
        "trial-0002",
        ["trial-0002", "trial-0000"],
    )


@pytest.mark.parametrize("value", ["[relu]", "[conv,pool]", "[/data/a]", "a:x:b"])
def test_values_are_no_markup(results: Path, value: str) -> None:
    lines = [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]
    for line in lines:
        line["parameters"]["layers"] = value
    (results / "trials.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for command in ("best", "trials"):
        shown = call(command, NAME)
        assert shown.exit_code == 0
        assert value in shown.stdout


def test_best_is_the_best_of_those_that_kept_the_limits(results: Path) -> None:
    assert call("best", NAME, "-o", "args").stdout == "--batch_size=30 --learning_rate=0.01\n"
    assert json.loads(call("best", NAME, "-o", "json").stdout)["objective"] == 0.125
    points = yaml.safe_load(call("best", NAME, "-o", "points").stdout)
    assert points == {"pointsToEvaluate": [{"batch_size": "30", "learning_rate": "0.01"}]}
    assert "trial-0002" in call("best", NAME).stdout
    (results / "trials.jsonl").unlink()
    nothing = call("best", NAME)
    assert nothing.exit_code == Exit.NOT_FOUND


def test_why_has_sentences_and_a_plot(results: Path) -> None:
    shown = call("why", NAME, "trial-0001")
    assert shown.exit_code == 0
    assert "400.0Mi, 25% over it" in shown.stdout
    assert "trial-0001: memory before its end" in shown.stdout
    assert "no samples of trial-0000 were kept" in call("why", NAME, "trial-0000").stdout
    assert "no samples of mean-step-time" in call("why", NAME, "trial-0001", "--plot", "mean-step-time").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("trials", NAME, "--where", "width>3"), Exit.BAD_INPUT, "trials have no 'width'"),
        (("trials", NAME, "--where", "width"), Exit.BAD_INPUT, "write NAME OPERATOR VALUE"),
        (("trials", NAME, "--results", "results", "-n", "team"), Exit.BAD_INPUT, "give one of them"),
        (("trials", "other", "--results", "results"), Exit.NOT_FOUND, "no results of sweep 'other' in results"),
        (("trials", "other"), Exit.CLUSTER, "no cluster to ask"),
        (("trials", NAME, "-n", "team"), Exit.CLUSTER, "no cluster to ask"),
        (("why", NAME, "trial-0003"), Exit.NOT_FOUND, "trial-0003 is still running"),
        (("why", NAME, "trial-0009"), Exit.NOT_FOUND, "no ended trial 'trial-0009'"),
        (("why", NAME, "trial-0001", "--plot", "speed"), Exit.BAD_INPUT, "--plot speed: write memory, mean-step-time"),
        (("list",), Exit.CLUSTER, "no cluster to ask"),
        (("list", "--results", "nowhere"), Exit.NOT_FOUND, "there are no runs in nowhere"),
        (("limits", NAME, "--memory", "1Gi"), Exit.CLUSTER, "no cluster to ask"),
        (("validate", "nothing.yaml"), Exit.BAD_INPUT, "No such file"),
    ],
)
def test_errors_are_a_sentence_and_an_exit_code(
    results: Path, arguments: tuple[str, ...], code: Exit, says: str
) -> None:
    done = call(*arguments)
    assert done.exit_code == code
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_local_runs_are_listed(results: Path) -> None:
    rows = json.loads(call("list", "--results", "results", "-o", "json").stdout)
    assert [(r["name"], r["phase"], r["ended"], r["trials"], r["over_limit"], r["best_trial"]) for r in rows] == [
        (NAME, "Running", 3, 5, 1, "trial-0002")
    ]
    assert NAME in call("list", "--results", "results").stdout


def test_watch_of_a_finished_run_has_the_exit_code_of_run(results: Path) -> None:
    state = {
        "sweepUid": "local",
        "driverId": "d",
        "startTime": "",
        "desiredDigest": "",
        "trials": {},
        "result": {"succeeded": False, "reason": "NoTrialSucceeded", "message": "none"},
    }
    (results / "result.json").write_text(json.dumps(state))
    done = call("watch", NAME)
    assert done.exit_code == Exit.FAILED
    assert "trial-0001 MemoryLimitExceeded: 500Mi > 400Mi" in done.stdout
    assert "Failed: NoTrialSucceeded: none" in done.stdout


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_render_shows_what_the_operator_would_create_without_the_token(tmp_path: Path, output: str) -> None:
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(edited(BASE, {"spec.parallelTrialCount": 1})))
    shown = call("render", str(tmp_path / "sweep.yaml"), "-n", "team", "--trainer-image", "mine:1", "-o", output)
    assert shown.exit_code == 0, shown.output
    documents = list(yaml.safe_load_all(shown.stdout))
    items = documents[0]["items"] if output == "json" else documents
    assert [item["kind"] for item in items] == [
        "Secret",
        "ConfigMap",
        "PersistentVolumeClaim",
        "NetworkPolicy",
        "RayJob",
    ]
    assert {item["metadata"]["namespace"] for item in items} == {"team"}
    assert items[0]["data"] == dict.fromkeys(("token", "tls.crt", "tls.key"), "***")
    head = items[-1]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    assert head["image"] == "mine:1"
