"""What the dashboards share: colours, variables, queries, and one function for each kind of panel.

The colours are Okabe and Ito's, which people with any colour blindness can tell apart; limits are dashed besides. Trials
are shades of one colour: there are too many of them for a colour each.
"""

from typing import Any, Final, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, timeseries, xychart
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    FieldColor,
    QueryVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.xychart import SeriesMapping, XYShowMode

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#999999"
SHADED: Final = "#56B4E9"
"""Between BLUE and SKY: Grafana shades it by up to 29 % both ways, and both ends must be seen on dark and on light."""

OUTCOMES: Final = {
    "Succeeded": GREEN,
    "Pruned": SKY,
    "LimitExceeded": VERMILION,
    "Skipped": PURPLE,
    "Stopped": GREY,
    "Failed": YELLOW,
}
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHT: Final = 8

Panel = TypeVar("Panel", stat.Panel, timeseries.Panel, bargauge.Panel, table.Panel, statetimeline.Panel, xychart.Panel)


def board(title: str, uid: str, description: str) -> Dashboard:
    """An empty dashboard with what all of them have."""
    link = DashboardLink("TuningSweep").type(DashboardLinkType.DASHBOARDS).tags(["tuningsweep"]).keep_time(True)
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["tuningsweep"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .link(link.include_vars(True).as_dropdown(False).title("TuningSweep").icon("external link"))
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )


def variable(name: str, label: str, query: str, *, several: bool = False) -> QueryVariable:
    """A variable whose values are those of a label; `several` lets all be chosen."""
    made = (
        QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    return made.multi(True).include_all(True).all_value(".*") if several else made


def over_time(expression: str, legend: str, name: str = "A") -> Dataquery:
    """A query for a graph."""
    return Dataquery().expr(expression).legend_format(legend).ref_id(name).datasource(SOURCE).range()


def rows(expression: str, name: str = "A") -> Dataquery:
    """A query for a table: a row for each series at the end of the time range, a column for each label."""
    return Dataquery().expr(expression).ref_id(name).datasource(SOURCE).instant().format(PromQueryFormat.TABLE)


def number(title: str, description: str, expression: str, unit: str = "short", *, width: int = 4) -> stat.Panel:
    """One number: the last in the time range, so that a sweep that has ended is shown too."""
    panel = (
        stat.Panel()
        .reduce_options(_last())
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .color_mode(kinds.BigValueColorMode.NONE)
    )
    return _described(panel, title, description, unit, width, over_time(expression, title)).height(4).no_value("none")


def graph(
    title: str, description: str, unit: str, *queries: Dataquery, width: int = 12, colours: dict[str, str] | None = None
) -> timeseries.Panel:
    """Lines over time; `colours` are those of lines by their legend, all others are shades of SHADED."""
    panel = (
        timeseries.Panel()
        .line_width(1)
        .show_points(kinds.VisibilityMode.AUTO)
        .min(0)
        .color_scheme(FieldColor().mode(FieldColorModeId.SHADES).fixed_color(SHADED))
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    )
    for legend, colour in (colours or {}).items():
        panel.override_by_name(legend, [_fixed(colour)])
    return _described(panel, title, description, unit, width, *queries)


def limited(title: str, description: str, unit: str, *queries: Dataquery) -> timeseries.Panel:
    """Lines over time against a limit, which is the query named `limit`: dashed, thick and vermilion."""
    dashes = {"fill": "dash", "dash": [10, 10]}
    style = [
        _fixed(VERMILION),
        DynamicConfigValue("custom.lineStyle", dashes),
        DynamicConfigValue("custom.lineWidth", 2),
    ]
    return graph(title, description, unit, *queries).override_by_query("limit", style)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """The same with areas on top of each other."""
    return panel.fill_opacity(60).stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))


def bars(title: str, description: str, unit: str, *queries: Dataquery, width: int = 12) -> bargauge.Panel:
    """A bar for each series: its last value in the time range."""
    panel = (
        bargauge.Panel()
        .reduce_options(_last())
        .orientation(kinds.VizOrientation.HORIZONTAL)
        .display_mode(kinds.BarGaugeDisplayMode.BASIC)
        .min(0)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color(BLUE))
    )
    return _described(panel, title, description, unit, width, *queries)


def listing(title: str, description: str, unit: str, query: Dataquery, columns: dict[str, str]) -> table.Panel:
    """A table; `columns` are the labels to show, in their order, with their headings, `Value` among them."""
    keep = DataTransformerConfig("filterFieldsByName", options={"include": {"names": list(columns)}})
    order = {"indexByName": {name: place for place, name in enumerate(columns)}, "renameByName": columns}
    panel = (
        table.Panel()
        .align(kinds.FieldTextAlignment.AUTO)
        .with_transformation(keep)
        .with_transformation(DataTransformerConfig("organize", options=order))
    )
    return _described(panel, title, description, unit, 12, query).no_value("none")


def timeline(title: str, description: str, query: Dataquery, states: dict[int, tuple[str, str]]) -> statetimeline.Panel:
    """A bar over time for each series; `states` are text and colour of each value."""
    mapped = {str(value): ValueMappingResult(text=text, color=colour) for value, (text, colour) in states.items()}
    panel = (
        statetimeline.Panel()
        .mappings([ValueMap(options=mapped)])
        .show_value(kinds.VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(90)
        .line_width(0)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(color=GREY)]))
    )
    return _described(panel, title, description, "short", 24, query).height(2 * HEIGHT)


def scatter(
    title: str, description: str, label: str, across: tuple[str, str, str], up: tuple[str, str]
) -> xychart.Panel:
    """A point for each value of a label: (name, query, unit) across, (name, query) up."""
    joined = DataTransformerConfig("joinByField", options={"byField": label, "mode": "inner"})
    names = {"Value #A": across[0], "Value #B": up[0], label: label}
    keep = DataTransformerConfig("filterFieldsByName", options={"include": {"names": list(names)}})
    renamed = DataTransformerConfig("organize", options={"renameByName": names})
    x = xychart.XychartXYSeriesConfigX().matcher(xychart.MatcherConfig().id("byName").options(across[0]))
    y = xychart.XychartXYSeriesConfigY().matcher(xychart.MatcherConfig().id("byName").options(up[0]))
    panel = (
        xychart.Panel()
        .with_transformation(joined)
        .with_transformation(keep)
        .with_transformation(renamed)
        .show(XYShowMode.POINTS)
        .mapping(SeriesMapping.MANUAL)
        .series([xychart.XYSeriesConfig().x(x).y(y)])
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color(BLUE))
        .override_by_name(across[0], [DynamicConfigValue("unit", across[2])])
    )
    return _described(panel, title, description, "short", 12, rows(across[1], "A"), rows(up[1], "B"))


def _described(panel: Panel, title: str, description: str, unit: str, width: int, *queries: Dataquery) -> Panel:
    made = panel.title(title).description(description).unit(unit).span(width).height(HEIGHT).datasource(SOURCE)
    return made.targets(list(queries))


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _fixed(colour: str) -> DynamicConfigValue:
    value: dict[str, Any] = {"mode": FieldColorModeId.FIXED, "fixedColor": colour}
    return DynamicConfigValue("color", value)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(kinds.LegendDisplayMode.LIST)
        .placement(kinds.LegendPlacement.BOTTOM)
    )
