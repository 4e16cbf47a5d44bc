// A panel's field config (units, colours, overrides) put into its frames. Grafana's server knows which settings there are
// from its panel plugins; these are the ones that our dashboards use.
import { applyFieldOverrides, type DataFrame, type FieldConfigSource, FieldConfigOptionsRegistry, type GrafanaTheme2 } from '@grafana/data';

const STANDARD = ['unit', 'min', 'max', 'decimals', 'noValue', 'displayName', 'color', 'thresholds', 'mappings'];
const CUSTOM = ['lineWidth', 'lineStyle', 'fillOpacity', 'showPoints', 'stacking', 'show'];

const registry = new FieldConfigOptionsRegistry(() => [
  ...STANDARD.map((name) => setting(name, name, false)),
  ...CUSTOM.map((name) => setting(`custom.${name}`, name, true)),
]);

function setting(id: string, path: string, isCustom: boolean) {
  return { id, path, isCustom, name: id, process: (value: unknown) => value, shouldApply: () => true } as any;
}

/** Frames with the panel's settings; throws for a setting that is not known here, which would be left out in silence. */
export function configured(data: DataFrame[], source: FieldConfigSource, theme: GrafanaTheme2): DataFrame[] {
  const used = [
    ...Object.keys(source.defaults).filter((name) => name !== 'custom'),
    ...Object.keys(source.defaults.custom ?? {}).map((name) => `custom.${name}`),
    ...source.overrides.flatMap((rule) => rule.properties.map((property) => property.id)),
  ];
  const unknown = used.filter((id) => !registry.getIfExists(id));
  if (unknown.length) {
    throw new Error(`settings that fields.ts does not know: ${unknown.join(', ')}`);
  }
  return applyFieldOverrides({
    data,
    fieldConfig: source,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry: registry,
  });
}
