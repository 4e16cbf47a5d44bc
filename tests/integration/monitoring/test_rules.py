"""The alerts: promtool checks them, runs their unit tests, and each says what to do."""

from pathlib import Path

import pytest
import yaml

from support.prometheus import promtool

pytestmark = pytest.mark.timeout(1800)  # the first run on a machine builds Prometheus

HERE = Path(__file__).parent
RULES = HERE.parents[2] / "charts" / "tuningsweep" / "files" / "rules.yaml"
TESTS = HERE / "rules_test.yaml"


def test_rules_are_valid() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))


def test_rules_fire_when_they_should(tmp_path: Path) -> None:
    """Without their texts, which promtool would want repeated word by word in the tests."""
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    tests = yaml.safe_load(TESTS.read_text())
    (tmp_path / TESTS.name).write_text(yaml.safe_dump({**tests, "rule_files": ["rules.yaml"]}))
    assert "SUCCESS" in promtool("test", "rules", TESTS.name, folder=tmp_path)


def test_each_alert_is_tested_and_says_what_to_do() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    fired = {
        case["alertname"]
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert {rule["alert"] for rule in rules} == fired
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "description"}
        assert len(rule["annotations"]["description"]) > 100, rule["alert"]
