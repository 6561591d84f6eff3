"use strict";
// What every page uses: its data, sizes, elements, themes and sortable tables. Foreign text is set as text only.

const $ = (id) => document.getElementById(id);

async function pageData() {
  const bytes = Uint8Array.from(atob($("data").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function bytesText(count) {
  const sign = count < 0 ? "−" : "";
  let rest = Math.abs(count);
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) { rest /= 1000; unit += 1; }
  return sign + (unit === 0 ? rest : Number(rest.toPrecision(3))) + " " + units[unit];
}

const percentText = (part, whole) => (whole > 0 ? ((100 * part) / whole).toFixed(1) : "0.0") + " %";
const countText = (count) => count.toLocaleString("en");

/// Text in which control characters and those that hide or reorder text are seen.
const visibleText = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
  (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);

/// A growth in bytes, with its sign and colour.
function growth(count) {
  return make("span", { className: count > 0 ? "more" : count < 0 ? "less" : "" }, (count > 0 ? "+" : "") + bytesText(count));
}

/// An element with properties and children; texts become text nodes.
function make(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key === "className" || key === "textContent" || key === "type" || key === "title") element[key] = value;
    else if (key === "click") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function startThemes(onChange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("lamina-theme"); } catch { /* Files may have no storage. */ }
  const show = () => {
    const theme = chosen || (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    $("theme").setAttribute("aria-label", theme === "dark" ? "Use the light theme" : "Use the dark theme");
    onChange();
  };
  const toggle = () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("lamina-theme", chosen); } catch { /* As above. */ }
    show();
  };
  $("theme").addEventListener("click", toggle);
  system.addEventListener("change", show);
  show();
  return toggle;
}

/// A table whose columns sort: `columns` have `title`, `value(row)`, and perhaps `cell(row)`, `isNumber`, `className`.
class SortedTable {
  constructor(host, columns, order) {
    this.host = host;
    this.columns = columns;
    this.order = order;
    this.rows = [];
    this.shown = 0;
    this.body = make("tbody");
    this.more = make("button", { type: "button", click: () => this.showMore(500) });
    this.heads = columns.map((column, index) => make("th", { scope: "col", className: column.isNumber ? "number" : "" },
      make("button", { type: "button", textContent: column.title, click: () => this.sortBy(index) })));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...this.heads)), this.body);
    host.replaceChildren(make("div", { className: "scroll" }, table), this.more);
  }

  sortBy(index) {
    const isSame = this.order.index === index;
    this.order = { index, isDescending: isSame ? !this.order.isDescending : Boolean(this.columns[index].isNumber) };
    this.show(this.rows);
  }

  show(rows) {
    this.rows = rows;
    const value = this.columns[this.order.index].value;
    const keys = new Map(rows.map((row) => [row, value(row)]));
    const sign = this.order.isDescending ? -1 : 1;
    this.sorted = [...rows].sort((one, other) => {
      const [left, right] = [keys.get(one), keys.get(other)];
      return left < right ? -sign : left > right ? sign : 0;
    });
    this.heads.forEach((head, index) => {
      const isSorted = index === this.order.index;
      head.setAttribute("aria-sort", !isSorted ? "none" : this.order.isDescending ? "descending" : "ascending");
      head.firstChild.textContent =
        this.columns[index].title + (!isSorted ? "" : this.order.isDescending ? " ↓" : " ↑");
    });
    this.body.replaceChildren();
    this.shown = 0;
    this.showMore(100);
  }

  showMore(count) {
    const end = Math.min(this.sorted.length, this.shown + count);
    for (const row of this.sorted.slice(this.shown, end)) {
      this.body.append(make("tr", {}, ...this.columns.map((column) => {
        const cell = make("td", {
          className: column.className || (column.isNumber ? "number" : ""), "data-title": column.title });
        cell.append(column.cell ? column.cell(row) : String(column.value(row)));
        return cell;
      })));
    }
    this.shown = end;
    this.more.hidden = end === this.sorted.length;
    this.more.textContent = `Show more of ${countText(this.sorted.length)}`;
  }
}
