// Draws the figures and tables of the report from the JSON beside it. Text from the run only ever becomes text nodes.
(() => {
  "use strict";
  const page = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const PAGE_ROWS = 25;
  const UNITS = { mebibytes: "MiB", seconds: "s", milliseconds: "ms" };
  const NUMERIC = new Set(["number", "mebibytes", "seconds", "milliseconds", "time"]);
  const GLYPHS = page.glyphs;

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // Values ----------------------------------------------------------------------------------------------------------
  const sortable = (cell) => (Array.isArray(cell) ? cell[0] : cell);
  const rounded = (value) => String(Math.abs(value) >= 1e4 && Math.abs(value) < 1e15 ? Number(value.toFixed(2)) : Number(value.toPrecision(5)));
  const number = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : rounded(value));
  const parameter = (value) => String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
  const shown = (cell, kind) => {
    if (cell === null || cell === undefined) return "";
    if (Array.isArray(cell)) return cell[1];
    if (kind === "flag") return cell ? "yes" : "";
    if (kind === "time") return new Date(cell).toISOString().slice(0, 19).replace("T", " ");
    if (typeof cell !== "number") return String(cell);
    return kind === "parameter" ? parameter(cell) : kind === "seconds" ? cell.toFixed(cell < 100 ? 2 : 0) : number(cell);
  };
  const heading = (column) => (UNITS[column.kind] ? `${column.title} (${UNITS[column.kind]})` : column.title);
  const compare = (left, right) => {
    const [a, b] = [sortable(left), sortable(right)];
    const missing = (value) => value === null || value === undefined || value === "";
    if (missing(a) || missing(b)) return missing(a) - missing(b) || 0;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const empty = (cell) => cell === null || cell === undefined || cell === "";

  const mark = (outcome) => {
    const made = element("span", { class: `mark o-${outcome}`, "aria-hidden": "true" });
    made.textContent = GLYPHS[outcome] ?? "";
    return made;
  };

  const save = (name, content, type) => {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    element("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };

  const csv = (table) => {
    // A quote before what a spreadsheet would take for a formula.
    const field = (text) => `"${(/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text).replaceAll('"', '""')}"`;
    const raw = (cell, kind) => (kind === "time" || Array.isArray(cell) ? shown(cell, kind) : empty(cell) ? "" : String(cell));
    const lines = [table.columns.map((column) => field(heading(column)))];
    for (const row of table.rows) lines.push(row.map((cell, index) => field(raw(cell, table.columns[index].kind))));
    return lines.map((line) => line.join(",")).join("\r\n");
  };

  // Tables ----------------------------------------------------------------------------------------------------------
  function makeTable(host, table, name) {
    const state = { column: -1, up: true, limit: PAGE_ROWS, filter: "" };
    const body = element("tbody");
    const count = element("span", { class: "count", role: "status" });
    const more = element("div", { class: "more" });
    const heads = table.columns.map((column, index) => {
      const button = element("button", { type: "button" }, heading(column));
      button.addEventListener("click", () => {
        const first = NUMERIC.has(column.kind) ? false : true;
        state.up = state.column === index ? !state.up : first;
        state.column = index;
        draw();
      });
      return element("th", { scope: "col", class: NUMERIC.has(column.kind) ? "right" : "" }, button);
    });

    function rows() {
      const words = state.filter.toLowerCase();
      const kept = words
        ? table.rows.filter((row) => row.some((cell, i) => shown(cell, table.columns[i].kind).toLowerCase().includes(words)))
        : [...table.rows];
      if (state.column < 0) return kept;
      return kept.sort((left, right) => {
        const [a, b] = [left[state.column], right[state.column]];
        const order = compare(a, b);
        return state.up || empty(a) || empty(b) ? order : -order;
      });
    }

    function cellOf(cell, column) {
      const classes = { number: "right", long: "long", parameter: "parameter" };
      const made = element("td", { class: NUMERIC.has(column.kind) ? "right" : classes[column.kind] ?? "" });
      if (column.kind === "outcome") made.append(mark(cell));
      const text = shown(cell, column.kind);
      if (classes[column.kind] && text.length > 30) made.title = text;
      made.append(text);
      return made;
    }

    function draw() {
      const found = rows();
      const part = found.slice(0, state.limit);
      body.replaceChildren(...part.map((row) => element("tr", {}, ...row.map((cell, i) => cellOf(cell, table.columns[i])))));
      heads.forEach((head, index) => {
        if (index === state.column) head.setAttribute("aria-sort", state.up ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      count.textContent = `${part.length.toLocaleString("en")} of ${found.length.toLocaleString("en")} rows`;
      more.hidden = found.length <= state.limit;
    }

    const button = (text, action) => {
      const made = element("button", { type: "button" }, text);
      made.addEventListener("click", action);
      return made;
    };
    const tools = element("div", { class: "table-tools" });
    if (table.rows.length > PAGE_ROWS) {
      const search = element("input", { type: "search", placeholder: "filter rows", "aria-label": "Filter rows" });
      search.addEventListener("input", () => {
        state.filter = search.value;
        state.limit = PAGE_ROWS;
        draw();
      });
      tools.append(search);
    }
    tools.append(count, button("CSV", () => save(`${name}.csv`, csv(table), "text/csv")));
    more.append(button("More rows", () => { state.limit += 100; draw(); }));
    const head = element("thead", {}, element("tr", {}, ...heads));
    const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${name}` });
    scroll.append(element("table", {}, head, body));
    host.append(tools, scroll, more);
    draw();
  }

  const behind = (figure) =>
    figure.columns.length === 0
      ? page.tables.trials
      : {
          columns: figure.columns,
          rows: figure.data[Object.keys(figure.data)[0]].map((row) => figure.columns.map((column) => row[column.key] ?? null)),
        };

  // Tooltips --------------------------------------------------------------------------------------------------------
  const tip = element("div", { id: "tip", hidden: "" });
  document.body.append(tip);
  const trials = new Map(page.tables.trials.rows.map((row) => [row[0], row]));

  function tooltip(_handler, event, _item, value) {
    const row = trials.get(value);
    if (!row) {
      tip.hidden = true;
      return;
    }
    const list = element("dl");
    page.tables.trials.columns.forEach((column, index) => {
      if (index < 2 || empty(row[index])) return;
      list.append(element("dt", {}, heading(column)), element("dd", {}, shown(row[index], column.kind)));
    });
    tip.replaceChildren(element("b", {}, row[0]), " ", mark(row[1]), row[1], list);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = event.clientX + 16 + box.width > innerWidth ? event.clientX - 16 - box.width : event.clientX + 16;
    const top = Math.min(event.clientY + 12, innerHeight - box.height - 8);
    tip.style.left = `${Math.max(6, left)}px`;
    tip.style.top = `${Math.max(6, top)}px`;
  }

  // Figures ---------------------------------------------------------------------------------------------------------
  const views = new Map();
  const theme = () => root.dataset.theme;

  async function drawFigure(figure) {
    const host = document.querySelector(`[data-figure="${figure.name}"]`);
    views.get(figure.name)?.finalize();
    const spec = { ...figure.chart, datasets: figure.data };
    const config = page.themes[theme()];
    const narrow = innerWidth < 600;
    const options = {
      mode: "vega-lite",
      actions: false,
      renderer: figure.renderer,
      config: narrow ? { ...config, legend: { ...config.legend, columns: 2 } } : config,
      tooltip,
    };
    views.set(figure.name, await vegaEmbed(host, spec, options));
  }

  async function drawAll() {
    delete root.dataset.drawn;
    for (const figure of page.figures) await drawFigure(figure);
    root.dataset.drawn = theme();
  }

  function paint() {
    const style = document.getElementById("outcomes") ?? document.head.appendChild(element("style", { id: "outcomes" }));
    const colours = page.themes[theme()].range.category;
    style.textContent = Object.keys(GLYPHS)
      .map((outcome, index) => `.o-${outcome}{--c:${colours[index]}}.mark.o-${outcome}:empty::before{content:"${GLYPHS[outcome]}"}`)
      .join("");
  }

  function setTheme(dark) {
    root.dataset.theme = dark ? "dark" : "light";
    paint();
    return drawAll();
  }

  document.getElementById("theme").addEventListener("click", () => setTheme(theme() === "light"));
  system.addEventListener("change", (event) => setTheme(event.matches));
  for (const host of document.querySelectorAll("[data-table]")) {
    makeTable(host, page.tables[host.dataset.table], host.dataset.table);
  }
  for (const details of document.querySelectorAll("[data-behind]")) {
    const figure = page.figures.find((candidate) => candidate.name === details.dataset.behind);
    details.addEventListener("toggle", () => makeTable(details, behind(figure), figure.name), { once: true });
  }
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", async () => {
      const { save: name, format } = button.dataset;
      const view = views.get(name).view;
      if (format === "svg") return save(`${name}.svg`, await view.toSVG(), "image/svg+xml");
      const canvas = await view.toCanvas(2);
      canvas.toBlob((blob) => save(`${name}.png`, blob));
    });
  }
  setTheme(system.matches);
})();
