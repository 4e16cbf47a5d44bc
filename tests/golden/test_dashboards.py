"""The chart's dashboards: valid by the SDK's own model, and each panel says what it shows and in which unit."""

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from support.dashboards import FILES, NAMES, load

# Okabe and Ito's palette, and grey.
SAFE_COLOURS = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999"}


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in load(name)["panels"] if panel["type"] != "row"]


def test_all_three_are_there() -> None:
    assert {path.stem for path in (FILES / "dashboards").iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_knows_every_field(name: str) -> None:
    """What Grafana's model does not know would be lost in reading and writing it."""
    register_default_plugins()
    again = json.loads(json.dumps(Dashboard.from_json(load(name)), cls=JSONEncoder))
    assert again == load(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows(name: str) -> None:
    for panel in panels(name):
        assert panel["title"], panel
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    found = load(name)["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in found)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("name", NAMES)
def test_colours_can_be_told_apart_by_everybody(name: str) -> None:
    assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", json.dumps(load(name)))) <= SAFE_COLOURS


def test_data_source_namespace_and_sweep_are_variables() -> None:
    variables = {name: [variable["name"] for variable in load(name)["templating"]["list"]] for name in NAMES}
    assert variables == {
        "fleet": ["datasource", "namespace"],
        "operator": ["datasource"],
        "sweep": ["datasource", "namespace", "sweep"],
    }
