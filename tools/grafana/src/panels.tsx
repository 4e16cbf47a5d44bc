// One function for each kind of panel that our dashboards use: frames and the panel's options to Grafana's component.
import { type DataFrame, getDisplayValueAlignmentFactors, getFieldDisplayValues, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { VizOrientation } from '@grafana/schema';
import { BarGauge, BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import * as React from 'react';

import { Scatter, StateTimeline } from './drawn';

/** Pixels inside a panel's frame. */
export interface Place {
  width: number;
  height: number;
}

export interface Shown {
  panel: any;
  frames: DataFrame[];
  place: Place;
  theme: GrafanaTheme2;
  range: TimeRange;
}

const KINDS: Record<string, (shown: Shown) => React.ReactNode> = {
  timeseries: ({ panel, frames, place, range }) => (
    <TimeSeries frames={frames} {...place} timeRange={range} timeZone="utc" legend={panel.options.legend} />
  ),
  stat: (shown) =>
    repeated(shown, VizOrientation.Auto, (value, place, options) => (
      <BigValue value={value.display} {...place} theme={shown.theme} colorMode={options.colorMode} graphMode={options.graphMode} textMode={options.textMode} />
    )),
  bargauge: (shown) =>
    repeated(shown, shown.panel.options.orientation, (value, place, options, factors) => (
      <BarGauge
        value={value.display}
        field={value.field}
        display={value.view?.getFieldDisplayProcessor(value.colIndex!)}
        {...place}
        theme={shown.theme}
        orientation={options.orientation}
        displayMode={options.displayMode}
        showUnfilled={options.showUnfilled}
        valueDisplayMode={options.valueMode}
        namePlacement={options.namePlacement}
        alignmentFactors={factors}
        isOverflow={false}
      />
    )),
  xychart: (shown) => <Scatter {...shown} />,
  'state-timeline': (shown) => <StateTimeline {...shown} />,
};

/** A panel's inside; throws for a kind that is not known here. */
export function inside(shown: Shown): React.ReactNode {
  const kind = KINDS[shown.panel.type];
  if (!kind) {
    throw new Error(`panels.tsx does not know the kind of panel ${shown.panel.type}`);
  }
  if (!shown.frames.some((frame) => frame.length)) {
    return <div style={{ padding: shown.theme.spacing(1) }}>No data</div>;
  }
  return kind(shown);
}

/** Reduced values side by side, as stat and bar gauge show them. */
function repeated(
  { panel, frames, place, theme }: Shown,
  orientation: VizOrientation,
  draw: (value: ReturnType<typeof getFieldDisplayValues>[number], place: Place, options: any, factors: any) => JSX.Element
) {
  const values = () =>
    getFieldDisplayValues({
      fieldConfig: panel.fieldConfig,
      reduceOptions: panel.options.reduceOptions,
      replaceVariables: (text) => text,
      theme,
      data: frames,
      timeZone: 'utc',
    });
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors }) => draw(value, { width, height }, panel.options, alignmentFactors)}
      {...place}
      source={frames}
      renderCounter={0}
      orientation={orientation}
      minVizHeight={panel.options.minVizHeight}
      maxVizHeight={panel.options.maxVizHeight}
      minVizWidth={panel.options.minVizWidth}
    />
  );
}
