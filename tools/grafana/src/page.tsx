// Draws a dashboard in the page: called by ../dashboard_picture.py in Chromium as draw(dashboard, theme name).
import { createTheme, dateTime, type DataFrame, type GrafanaTheme2, ThemeContext, type TimeRange } from '@grafana/data';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';

import '@fontsource/inter/latin-400.css'; // the font of Grafana's themes
import '@fontsource/inter/latin-500.css';

import { configured } from './fields';
import { type Answer, framesOf } from './frames';
import { inside } from './panels';

const COLUMNS = 24;
const ROW = 30; // Grafana's grid: pixels of a row, and between two panels
const GAP = 8;

interface Drawing {
  dashboard: any;
  answers: Record<string, Answer[]>; // by the panel's id
  variables: Record<string, string>; // by what the dashboard calls them
  from: number; // Unix seconds
  to: number;
  step: number;
}

declare global {
  interface Window {
    draw: (drawing: Drawing, mode: 'light' | 'dark', width: number) => Promise<void>;
  }
}

window.draw = async (drawing, mode, width) => {
  const theme = createTheme({ colors: { mode } });
  const [from, to] = [dateTime(drawing.from * 1000), dateTime(drawing.to * 1000)];
  const range: TimeRange = { from, to, raw: { from, to } };
  const frames: Record<string, DataFrame[]> = {};
  for (const panel of drawing.dashboard.panels.filter((one: any) => one.type !== 'row')) {
    const raw = await framesOf(drawing.answers[panel.id], panel.transformations ?? [], drawing.step * 1000);
    frames[panel.id] = configured(raw, panel.fieldConfig, theme);
  }
  const { background, text } = theme.colors;
  Object.assign(document.body.style, { margin: '0', background: background.canvas, color: text.primary });
  document.body.style.font = `${theme.typography.fontSize}px ${theme.typography.fontFamily}`;
  document.body.innerHTML = '<div id="root"></div>';
  flushSync(() =>
    createRoot(document.getElementById('root')!).render(
      <ThemeContext.Provider value={theme}>
        <GlobalStyles hackNoBackdropBlur={true} isExtensionSidebarOpen={false} />
        <Board drawing={drawing} theme={theme} range={range} frames={frames} width={width} />
      </ThemeContext.Provider>
    )
  );
};

function Board({ drawing, theme, range, frames, width }: { drawing: Drawing; theme: GrafanaTheme2; range: TimeRange; frames: Record<string, DataFrame[]>; width: number }) {
  const { panels, title } = drawing.dashboard;
  const rows = Math.max(...panels.map(({ gridPos }: any) => gridPos.y + gridPos.h));
  const chosen = Object.entries(drawing.variables).map(([name, value]) => `${name}: ${value}`);
  return (
    <div style={{ width, padding: 2 * GAP, boxSizing: 'border-box' }}>
      <div style={{ display: 'flex', gap: 3 * GAP, alignItems: 'baseline', marginBottom: GAP }}>
        <span style={{ fontSize: theme.typography.h4.fontSize }}>{title}</span>
        <span style={{ color: theme.colors.text.secondary }}>{chosen.join('   ')}</span>
      </div>
      <div style={{ position: 'relative', height: rows * (ROW + GAP) }}>
        {panels.map((panel: any) => {
          const box = boxOf(panel.gridPos, width - 4 * GAP);
          return (
            <div key={panel.id} style={{ position: 'absolute', ...box }}>
              {panel.type === 'row' ? (
                <div style={{ fontSize: theme.typography.h6.fontSize, fontWeight: 500, lineHeight: `${ROW}px` }}>{panel.title}</div>
              ) : (
                <PanelChrome width={box.width} height={box.height} title={panel.title}>
                  {(innerWidth, innerHeight) =>
                    inside({ panel, theme, range, frames: frames[panel.id], place: { width: innerWidth, height: innerHeight } })
                  }
                </PanelChrome>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function boxOf({ x, y, w, h }: { x: number; y: number; w: number; h: number }, width: number) {
  const column = (width - (COLUMNS - 1) * GAP) / COLUMNS;
  return { left: x * (column + GAP), top: y * (ROW + GAP), width: w * column + (w - 1) * GAP, height: h * ROW + (h - 1) * GAP };
}
