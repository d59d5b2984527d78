// What all pages share. A page hands the function that draws its charts to drawing().

// Names come from drivers and files, so they are only ever inserted as text.
function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}
const byId = id => document.getElementById(id);
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const fixed = (value, digits) => value === null ? "–" : value.toFixed(digits);
const three = value => value === null ? "–" : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
function duration(seconds) {
  return seconds >= 1 ? three(seconds) + " s" : seconds >= 1e-3 ? three(seconds * 1e3) + " ms" : three(seconds * 1e6) + " µs";
}
// Such as 3.1e-7; whole numbers below 1000 as they are, others from 0.1 to 1000 without an exponent.
function scientific(value) {
  if (value === null) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1000) return String(value);
  return size >= 0.1 && size < 1000 ? three(value) : value.toExponential(1).replace("+", "");
}
// Numbers that JSON lacks are strings.
const number = value => value === null || value === undefined ? null : Number(value);

// Fills a table whose rows are sorted by a click on a column's name. A column has a name, the text of a row, and if need be
// its value for sorting, a class, or a function that fills the cell.
function sortedTable(table, columns, rows) {
  const value = column => column.value || column.text;
  const head = make("tr"), body = make("tbody");
  const lines = rows.map(row => {
    const line = make("tr");
    for (const column of columns) {
      const cell = make("td", column.fill ? undefined : column.text(row), column.className);
      if (column.fill) column.fill(row, cell);
      line.append(cell);
    }
    return { row, line };
  });
  for (const column of columns) {
    const cell = make("th", undefined, column.className), button = make("button", column.name);
    button.type = "button";
    button.addEventListener("click", () => {
      const before = cell.getAttribute("aria-sort");
      const numbers = rows.some(row => typeof value(column)(row) === "number");
      // What is largest comes first, and names in their order.
      const down = before ? before === "ascending" : numbers;
      for (const other of head.children) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = lines.slice().sort((a, b) => {
        const x = value(column)(a.row), y = value(column)(b.row);
        if (x === null || y === null) return (x === null) - (y === null);
        const order = numbers ? x - y || 0 : x < y ? -1 : x > y ? 1 : 0;
        return down ? -order : order;
      });
      body.replaceChildren(...sorted.map(each => each.line));
    });
    cell.append(button);
    head.append(cell);
  }
  body.append(...lines.map(each => each.line));
  const top = make("thead");
  top.append(head);
  table.replaceChildren(top, body);
}

// Powers of ten, and where there are few of them in sight 2 and 5 as well.
function powerLabel(value, axis) {
  const exponent = Math.floor(Math.log10(value) + 1e-9), digit = Math.round(value / Math.pow(10, exponent));
  const narrow = axis && axis.max / axis.min < 200;
  if (Math.abs(value / Math.pow(10, exponent) - digit) > 1e-9 || !(digit === 1 || narrow && (digit === 2 || digit === 5))) return "";
  return exponent >= -3 && exponent < 6 ? String(Number(value.toPrecision(1))) : digit + "e" + exponent;
}
function logAxis(text, more) {
  return Object.assign({
    type: "logarithmic", title: { display: true, text, color: color("--ink") }, border: { color: color("--soft") },
    grid: { color: context => powerLabel(context.tick.value, context.scale) ? color("--line") : "transparent" },
    ticks: { color: color("--soft"), callback(value) { return powerLabel(value, this); }, maxRotation: 0, autoSkip: false }
  }, more);
}

let charts = [];
// Draws a chart that drawing() knows of.
function plot(canvas, config) {
  const chart = new Chart(canvas, config);
  charts.push(chart);
  return chart;
}
// Draws now, and again if the colours change: what is on a canvas doesn't follow the style. Returns what draws it again.
function drawing(draw) {
  function redraw() {
    charts.forEach(chart => chart.destroy());
    charts = [];
    if (typeof Chart !== "undefined") {
      Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
      Chart.defaults.font.size = 13;
    }
    draw();
  }
  redraw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return redraw;
}
