// Comfort only: the page says everything without it. Sorting tables, light or dark, and pointing at one model.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.title = "sort by this column";
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => {
        const cell = row.cells[column];
        if (!cell) return null;
        return cell.dataset.value !== undefined ? Number(cell.dataset.value) : null;
      };
      const rows = [...table.tBodies[0].rows];
      const text = (row) => (row.cells[column] ? row.cells[column].textContent : "");
      rows.sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === null && y === null) return text(a).localeCompare(text(b)) * (up ? 1 : -1);
        if (x === null || y === null) return x === null ? 1 : -1;  // what has no number stays below
        return (x - y) * (up ? 1 : -1);
      });
      table.tBodies[0].append(...rows);
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
const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
