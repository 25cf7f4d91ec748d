"""Tables for readers with a screen reader, a phone or a printer too: caption, scopes, units, their own scroll bar."""

import re
from html import escape


def cell_anchor(cell):
    return "cell-" + re.sub(r"[^\w.=-]+", "_", cell)


def scrolled(table, label):
    """A wide table scrolls by itself, also with the keyboard; the page never does sideways."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{table}</div>'


def facts_table(heads, rows, caption):
    """Plain text in columns."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "\n".join(
        '<tr><th scope="row">'
        + escape(row[0])
        + "</th>"
        + "".join(f"<td>{escape(text or '')}</td>" for text in row[1:])
        + "</tr>"
        for row in rows
    )
    table = (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    return scrolled(table, caption)


def data_table(edition, table):
    """A table of results.json."""
    heads = "".join(
        f'<th scope="col" class="{_side(column)}">{escape(column["label"])}'
        + (f' <span class="unit">{escape(column["unit"])}</span>' if column.get("unit") else "")
        + "</th>"
        for column in table["columns"]
    )
    body = "\n".join(_row(table["columns"], row) for row in table["rows"])
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.get("notes", ()))
    levels = sum("=" in column["id"] for column in table["columns"])
    kind = "sortable many" if levels > 10 else "sortable"  # many columns are set smaller on paper
    markup = (
        f'<table class="{kind}"><caption><b>{escape(table["title"])}</b> {escape(table.get("caption", ""))}'
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
    shown = scrolled(markup, table["title"]) + (f"<ul>{notes}</ul>" if notes else "")
    return f'<div class="step" id="{edition.anchor("table-" + escape(table["id"]))}">{shown}</div>'


def _side(column):
    return "right" if column.get("align") == "right" else "left"


def _value(cell):
    """By which a column is sorted; six digits tell any two apart that are printed differently."""
    return f' data-value="{float(cell["value"]):.6g}"' if cell.get("value") is not None else ""


def number_cell(cell, side):
    """The opening tag of a cell. What has a value stands to the right by itself (page.css): there are thousands."""
    value = _value(cell)
    classes = [] if value and side == "right" else [side]
    if cell.get("quality") in ("too few", "none"):
        classes.append("muted")
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f"<td{named}{value}>"


def _row(columns, row):
    cells = []
    for number, (column, cell) in enumerate(zip(columns, row["cells"])):
        if number == 0:
            cells.append(f'<th scope="row"{_value(cell)}>{escape(cell["text"])}</th>')
        else:
            cells.append(f"{number_cell(cell, _side(column))}{escape(cell['text'])}</td>")
    missing = len(columns) - len(row["cells"])
    if row.get("note") and missing > 0:
        cells.append(f'<td class="note" colspan="{missing}">{escape(row["note"])}</td>')
    elif row.get("note"):
        cells[-1] = cells[-1].replace("</td>", f' <span class="range">{escape(row["note"])}</span></td>')
    return f"<tr>{''.join(cells)}</tr>"
