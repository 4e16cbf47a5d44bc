// What Prometheus answered, as Grafana's data frames: one a series for a graph, one with a row a series for a table.
import { type DataFrame, type DataTransformerConfig, FieldType, standardTransformers, standardTransformersRegistry, transformDataFrame } from '@grafana/data';
import { firstValueFrom } from 'rxjs';

export interface Target {
  refId: string;
  legendFormat?: string;
  format?: string;
}

interface Series {
  metric: Record<string, string>;
  values?: Array<[number, string]>;
  value?: [number, string];
}

export interface Answer {
  target: Target;
  result: Series[];
}

const { joinByFieldTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer } = standardTransformers;
standardTransformersRegistry.setInit(() =>
  [joinByFieldTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation,
    editor: () => null,
  }))
);

/** Frames of all answers of a panel, transformed as the panel says; `stepMs` is the time between two points. */
export async function framesOf(answers: Answer[], transformations: DataTransformerConfig[], stepMs: number): Promise<DataFrame[]> {
  const several = answers.length > 1;
  const frames = answers.flatMap(({ target, result }) =>
    target.format === 'table'
      ? [tableFrame(target, result, several)]
      : result.map((series) => seriesFrame(target, series, stepMs))
  );
  return firstValueFrom(transformDataFrame(transformations, frames, { interpolate: (text) => text }));
}

function seriesFrame(target: Target, series: Series, stepMs: number): DataFrame {
  const points = series.values ?? [];
  const legend = (target.legendFormat ?? '').replace(/\{\{(\w+)\}\}/g, (_, label) => series.metric[label] ?? '');
  return {
    refId: target.refId,
    length: points.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: { interval: stepMs }, values: points.map(([seconds]) => seconds * 1000) },
      {
        name: 'Value',
        type: FieldType.number,
        config: { displayNameFromDS: legend },
        labels: series.metric,
        values: points.map(([, value]) => Number(value)),
      },
    ],
  };
}

function tableFrame(target: Target, result: Series[], several: boolean): DataFrame {
  const labels = [...new Set(result.flatMap((series) => Object.keys(series.metric)))];
  return {
    refId: target.refId,
    length: result.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: result.map((series) => (series.value?.[0] ?? 0) * 1000) },
      ...labels.map((name) => ({ name, type: FieldType.string, config: {}, values: result.map((series) => series.metric[name]) })),
      {
        name: several ? `Value #${target.refId}` : 'Value',
        type: FieldType.number,
        config: {},
        values: result.map((series) => Number(series.value?.[1])),
      },
    ],
  };
}
