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
// Draws now, and again if the colours change: what is on a canvas doesn't follow the style.
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
}
