"""Block 9: every table, every cell, and what could not run."""

from html import escape

from .tables import cell_anchor, data_table, facts_table, number_cell, scrolled

BROKEN = ("not-run", "failed", "partial")


def tables(edition):
    shown_elsewhere = {"limits"}
    return [data_table(edition, table) for table in edition.results["tables"] if table["id"] not in shown_elsewhere]


def every_cell(edition):
    """All metrics of all cells, under the names that data.csv uses."""
    words, cells = edition.words, edition.results["cells"]
    names = list(dict.fromkeys(name for cell in cells for name in cell.get("metrics", {})))
    if not cells:
        return ""
    link = f' <a href="{escape(edition.csv)}">{words.html("csv")}</a>' if edition.csv else ""
    head = "".join(f'<th scope="col" class="right">{escape(name)}</th>' for name in names)
    body = "\n".join(_cell_row(edition, cell, names) for cell in cells)
    table = (
        f'<table class="dense sortable"><caption>{words.html("numbers_said")}{link}</caption><thead><tr>'
        f'<th scope="col">{words.html("cell")}</th><th scope="col">{words.html("status")}</th>{head}'
        f'<th scope="col">{words.html("calls_per_request")}</th></tr></thead><tbody>{body}</tbody></table>'
    )
    return scrolled(table, words("numbers_label"))


def _cell_row(edition, cell, names):
    status = ", ".join([edition.words(f"status.{cell['status']}"), *cell.get("marks", ())])
    start = (
        f'<tr id="{edition.anchor(cell_anchor(cell["id"]))}"><th scope="row">{escape(cell["id"])}</th>'
        f"<td>{escape(status)}</td>"
    )
    metrics = cell.get("metrics", {})
    if cell["status"] == "not-run" or not metrics:
        return f'{start}<td class="note" colspan="{len(names) + 1}">{escape(cell.get("reason", ""))}</td></tr>'
    calls = ", ".join(f"{call['call']} {call['text']}" for call in cell.get("calls_per_request", ()))
    reason = f'<span class="range">{escape(cell["reason"])}</span>' if cell.get("reason") else ""
    columns = "".join(_metric(metrics.get(name)) for name in names)
    return f'{start}{columns}<td class="calls">{escape(calls)}{reason}</td></tr>'


def _metric(metric):
    if metric is None:
        return '<td class="right muted">-</td>'
    spread = f"<i>{escape(metric['range_text'])}</i>" if metric.get("range_text") else ""
    return f'{number_cell(metric, "right")}{escape(metric.get("text") or "-")}{spread}</td>'


def not_run(edition):
    words, results = edition.words, edition.results
    absent = [series for series in results["series"] if not series.get("available", True)]
    rows = [
        (series["label"], words("everywhere"), words("cannot_run"), series.get("reason", "")) for series in absent
    ]
    names = {series["id"] for series in absent}
    for cell in results["cells"]:
        if cell["status"] not in BROKEN or (cell["status"] == "not-run" and cell["series"] in names):
            continue
        label = edition.series.get(cell["series"], {}).get("label", cell["series"])
        status = words(f"status.{cell['status']}")
        rows.append((label, cell.get("level", ""), status, cell.get("reason", "")))
    if not rows:
        return f"<p>{words.html('everything_ran')}</p>"
    heads = tuple(words(key) for key in ("model", "where", "what_happened", "why"))
    return facts_table(heads, rows, caption=words("section.not_run"))
