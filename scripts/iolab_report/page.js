// Comfort only: the page says everything without it. Sorting tables, light or dark, pointing at one model.
"use strict";
const root = document.documentElement;

function sortKey(row, column) {
  const cell = row.cells[column];
  return cell && cell.dataset.value !== undefined ? Number(cell.dataset.value) : null;
}

function sortBy(table, column, up) {
  const text = (row) => (row.cells[column] ? row.cells[column].textContent : "");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => {
    const x = sortKey(a, column), y = sortKey(b, column);
    if (x === null && y === null) return text(a).localeCompare(text(b)) * (up ? 1 : -1);
    if (x === null || y === null) return x === null ? 1 : -1;  // what has no number stays below
    return (x - y) * (up ? 1 : -1);
  });
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.title = table.closest("main").dataset.sort;
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sortBy(table, column, up);
    });
  });
}

for (const mark of document.querySelectorAll("svg [data-series]")) {
  const figure = mark.closest("figure");
  mark.addEventListener("pointerenter", () => {
    figure.classList.add("dimmed");
    for (const other of figure.querySelectorAll("[data-series]"))
      other.classList.toggle("lit", other.dataset.series === mark.dataset.series);
  });
  mark.addEventListener("pointerleave", () => figure.classList.remove("dimmed"));
}

// Who guesses first sees more: the blocks stay covered until a reader has picked an answer, or asks for it. Covered is
// not gone: a screen reader reads them, the keyboard reaches them, and an address that names a part shows it.
const asked = [...document.querySelectorAll(".predict")];
function cover(yes) {
  for (const one of asked) {
    one.closest("main").classList.toggle("covered", yes);
    one.querySelector("button").hidden = !yes;
  }
}
const uncover = () => cover(false);
for (const one of asked) {
  one.addEventListener("change", uncover);
  one.querySelector("button").addEventListener("click", uncover);
}
addEventListener("hashchange", uncover);
if (!location.hash || location.hash === "#zh") cover(true);

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// On paper nothing can be opened.
addEventListener("beforeprint", () => document.querySelectorAll("details.also").forEach((more) => (more.open = true)));

// A reader whose browser speaks Chinese, or a link that ends in #zh, starts in Chinese.
const chinese = document.getElementById("speak-zh");
if (chinese && (location.hash === "#zh" || (!location.hash && navigator.language.startsWith("zh"))))
  chinese.checked = true;
