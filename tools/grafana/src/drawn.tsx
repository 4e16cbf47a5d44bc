// The two kinds of panel that @grafana/ui has no component for, since they are plugins of Grafana's server: drawn here with
// the plotting parts that those plugins are made of (GraphNG by way of TimeSeries, UPlotChart).
import { type DataFrame, type Field, FieldMatcherID, fieldMatchers, getFieldDisplayName, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation, VisibilityMode } from '@grafana/schema';
import { TimeSeries, UPlotChart, UPlotConfigBuilder } from '@grafana/ui';
import * as React from 'react';

import type { Place } from './panels';

const MARGIN = 0.05;
const ROW_LABELS = 90;

/** A point for each row: the manual mapping of an XY chart with one series. */
export function Scatter({ frames, panel, place, range }: { frames: DataFrame[]; panel: any; place: Place; range: TimeRange }) {
  const [across, up] = ['x', 'y'].map((axis) => panel.options.series[0][axis].matcher.options);
  const frame = frames[0];
  const name = (field: Field) => getFieldDisplayName(field, frame);
  const order = sortedBy(frame.fields.find((field) => name(field) === across)!.values);
  const fields = frame.fields.map((field) => {
    const values = order.map((index) => field.values[index]);
    if (name(field) === across) {
      const [least, most] = [values[0], values[values.length - 1]];
      const margin = (most - least || most) * MARGIN;
      return { ...field, values, config: { ...field.config, min: least - margin, max: most + margin, custom: { axisLabel: across } } };
    }
    const custom = { ...field.config.custom, drawStyle: GraphDrawStyle.Points, pointSize: 7, showPoints: VisibilityMode.Always, axisLabel: up };
    return { ...field, values, config: { ...field.config, custom } };
  });
  const named = (wanted: string) => fieldMatchers.get(FieldMatcherID.byName).get(wanted);
  return (
    <TimeSeries
      frames={[{ ...frame, fields }]}
      fields={{ x: named(across), y: named(up) }}
      {...place}
      timeRange={range}
      timeZone="utc"
      legend={panel.options.legend}
    />
  );
}

function sortedBy(values: number[]): number[] {
  return values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
}

/** A bar over time for each series, in the colour of its value's mapping. */
export function StateTimeline({ frames, theme, panel, place, range }: { frames: DataFrame[]; theme: GrafanaTheme2; panel: any; place: Place; range: TimeRange }) {
  const rows = frames.slice(0, panel.options.perPage);
  const config = new UPlotConfigBuilder('utc');
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  config.addScale({ scaleKey: 'x', orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right, isTime: true, range: () => [from, to] });
  config.addScale({ scaleKey: 'y', orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Down, range: () => [0, rows.length] });
  config.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme, grid: { show: true } });
  config.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    size: ROW_LABELS,
    grid: { show: false },
    splits: rows.map((_, index) => index + 0.5),
    values: rows.map((row) => row.fields[1].config.displayNameFromDS ?? ''),
  } as any);
  config.addSeries({ scaleKey: 'y', theme, lineWidth: 0, showPoints: VisibilityMode.Never, pxAlign: false } as any);
  config.addHook('draw', (plot: any) => rows.forEach((row, index) => drawRow(plot, row, index, panel)));
  return <UPlotChart config={config} data={[[from, to], [null, null]] as any} {...place} />;
}

function drawRow(plot: any, row: DataFrame, index: number, panel: any) {
  const states = row.fields[1];
  const half = panel.options.rowHeight / 2;
  const [top, bottom] = [index + 0.5 - half, index + 0.5 + half].map((at) => plot.valToPos(at, 'y', true));
  plot.ctx.save();
  plot.ctx.globalAlpha = panel.fieldConfig.defaults.custom.fillOpacity / 100;
  for (const { from, to, state } of spans(row)) {
    const [left, right] = [from, to].map((at) => plot.valToPos(at, 'x', true));
    plot.ctx.fillStyle = states.display!(state).color;
    plot.ctx.fillRect(left, top, right - left, bottom - top);
  }
  plot.ctx.restore();
}

/** Points in a row with the same value, as one span. */
function spans(row: DataFrame): Array<{ from: number; to: number; state: number }> {
  const [times, states] = row.fields;
  const step = times.config.interval!;
  const found: Array<{ from: number; to: number; state: number }> = [];
  times.values.forEach((from: number, point: number) => {
    const [last, state] = [found[found.length - 1], states.values[point]];
    if (last && last.state === state && from <= last.to) {
      last.to = from + step;
    } else {
      found.push({ from, to: from + step, state });
    }
  });
  return found;
}
