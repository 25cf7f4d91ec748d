"""The parts of the page, in the order in which they are read. Each is a function from results.json to markup."""

from html import escape

from .results import series_by_id, tick_label
from .tables import cell_anchor, data_table, facts_table, scrolled
from .swatch import swatch

KINDS = {
    "exact": "counted",
    "judged": "judged",
    "measured": "measured",
    "noise": "noise",
    "limit": "limit",
    "not-run": "did not run",
    "failed": "failed",
    "preview": "preview",
}


def section(anchor, title, *parts):
    inner = "\n".join(part for part in parts if part)
    return f'<section id="{anchor}">\n<h2>{escape(title)}</h2>\n{inner}\n</section>' if inner else ""


def header(results):
    run = results["run"]
    kicker = " · ".join(
        part for part in ("iolab", run.get("experiment"), run.get("profile") and f"{run['profile']} profile") if part
    )
    facts = [
        run.get("machine"),
        run.get("started", "").replace("T", " ").replace("Z", " UTC"),
        run.get("status_text"),
    ]
    anchors = [
        ("charts", "Pictures"),
        ("numbers", "Every number"),
        ("not-run", "What could not run"),
        ("method", "How it was done"),
        ("next", "Repeat it"),
    ]
    return (
        '<header>\n<button id="theme" type="button" hidden>light / dark</button>\n'
        f'<p class="kicker">{escape(kicker)}</p>\n<h1>{escape(run.get("question") or run.get("id", ""))}</h1>\n'
        + (f'<p class="background">{escape(run["background"])}</p>\n' if run.get("background") else "")
        + '<ul class="facts">'
        + "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
        + "</ul>\n<nav>"
        + "".join(f'<a href="#{anchor}">{text}</a>' for anchor, text in anchors)
        + "</nav>\n</header>"
    )


def _sentences(sentences, css, ordered="ul"):
    if not sentences:
        return ""
    items = []
    for sentence in sentences:
        cells = sentence.get("cells", ())
        links = "".join(
            f' <a href="#{cell_anchor(cell)}" title="{escape(cell)}">{number}</a>'
            for number, cell in enumerate(cells[:LINKS], 1)
        )
        links += f" of {len(cells)} cells" if len(cells) > LINKS else ""
        evidence = f' <span class="evidence" aria-label="evidence">{links}</span>' if links else ""
        kind = KINDS.get(sentence.get("kind"), sentence.get("kind", ""))
        items.append(
            f'<li><span class="kind"><b>{escape(kind)}</b></span>' f'<p>{escape(sentence["text"])}{evidence}</p></li>'
        )
    return f'<{ordered} class="{css}">' + "\n".join(items) + f"</{ordered}>"


LINKS = 5  # cells that a sentence links to as its evidence; all of them are in "Every number"
FIRST = 5  # findings above the first picture; the others stand below it


def found(results):
    return section("found", "What was found", _sentences(results["found"][:FIRST], "found lead", "ol"))


def also_found(results):
    return section("also-found", "What was found besides", _sentences(results["found"][FIRST:], "found", "ol"))


def hero(results, pictures):
    chart = next(iter(results["charts"]), None)
    return _figure(chart, series_by_id(results), pictures.get(chart["id"])) if chart else ""


def notes(results, complaint):
    listed = list(results["notes"])
    if complaint:
        listed.append({"kind": "limit", "text": complaint})
    inner = _sentences(listed, "found")
    return section("notes", "Before you believe it", f'<div class="notes">{inner}</div>' if inner else "")


def charts(results, pictures):
    series = series_by_id(results)
    shown = [chart for chart in results["charts"][1:] if chart["kind"] != "forest"]
    figures = [_figure(chart, series, pictures.get(chart["id"])) for chart in shown]
    return section("charts", "More pictures", *figures)


def how_sure(results, pictures):
    """The comparison that was fixed before the run, with the band in which a difference means nothing."""
    judgement = results.get("judgement")
    forests = [chart for chart in results["charts"] if chart["kind"] == "forest"]
    if not judgement or not forests:
        return ""
    duets = judgement["by"] == "duets"
    by = "duets: pairs of fresh processes under alternating load" if duets else "trials of one block"
    said = (
        f"<p>Judged by {escape(judgement['label'])}, {escape(judgement['level'])}, by {by}. Differences below "
        f"{escape(judgement['floor_text'])} mean nothing here: the same model shows them against itself, or they were "
        "declared too small to matter before the run.</p>"
    )
    series = series_by_id(results)
    rows = [
        (
            series[verdict["series"]]["label"],
            verdict["word"],
            verdict["text"],
            f"{max(verdict['more'], verdict['less'])} of {verdict['more'] + verdict['less']}",
            f"{verdict['p_holm']:.3g}",
        )
        for verdict in judgement["verdicts"]
    ]
    table = facts_table(("model", "word", "ratio (range)", "on one side", "p, corrected"), rows)
    figures = [_figure(chart, series, pictures.get(chart["id"])) for chart in forests]
    return section("how-sure", "How sure", said, *figures, table)


def _figure(chart, series, picture):
    shown = f"{picture[0]}\n{picture[1]}" if picture else ""
    return (
        f'<figure id="chart-{escape(chart["id"])}">\n<figcaption><h3>{escape(chart["title"])}</h3>'
        f'<p class="sub">{escape(chart.get("subtitle", ""))}</p></figcaption>\n{shown}\n'
        f"<details><summary>Show as table</summary>{_chart_table(chart, series)}</details>\n</figure>"
    )


def _chart_table(chart, series):
    if chart["kind"] == "timeline":
        return _events_table(chart)
    if chart["kind"] == "forest":
        rows = [(series[row["series"]]["label"], row["text"], row["word"]) for row in chart["panels"][0]["rows"]]
        return facts_table(("model", "ratio (range)", "word"), rows)
    rows = []
    for panel in chart["panels"]:
        for bar in panel.get("bars", ()):
            parts = "; ".join(f"{part['part']} {part['text']}" for part in bar.get("parts", ()))
            rows.append(
                (
                    bar["label"],
                    panel.get("title", ""),
                    bar.get("text") if bar.get("value") is not None else bar.get("missing") or "not measured",
                    parts or _trials(bar),
                )
            )
        for entry in panel.get("series", ()):
            for point in entry["points"]:
                rows.append(
                    (
                        series[entry["id"]]["label"],
                        tick_label(chart["x"], point["at"]) or f"{point['at']}",
                        point.get("text") if point.get("value") is not None else "-",
                        _trials(point),
                    )
                )
    place = chart["x"]["label"] if chart["kind"] == "lines" else "panel"
    value = (chart["y"] if chart["kind"] == "lines" else chart["x"])["label"]
    return facts_table(("model", place, value, "parts or single trials"), rows)


def _trials(point):
    return ", ".join(f"{value:g}" for value in point.get("values") or () if value is not None)


def _events_table(chart):
    rows = []
    for panel in chart["panels"]:
        for lane in panel["lanes"]:
            if lane.get("missing"):
                rows.append((lane["title"], "", "", "", lane["missing"], ""))
            for event in lane["events"]:
                thread = lane["threads"][event["thread"]] if event["thread"] < len(lane["threads"]) else ""
                rows.append(
                    (
                        lane["title"],
                        thread,
                        f"{event['from_us']:g}",
                        f"{event['to_us']:g}",
                        event.get("text") or event.get("call") or event["state"],
                        event.get("where", ""),
                    )
                )
    return facts_table(("model", "thread", "from, us", "to, us", "what", "called at"), rows)


def tables(results):
    series = series_by_id(results)
    return section("tables", "Tables", *(data_table(table, series) for table in results["tables"]))


def every_number(results):
    """All metrics of all cells, under the names that data.csv uses."""
    names = []
    for cell in results["cells"]:
        names += [name for name in cell.get("metrics", {}) if name not in names]
    head = "".join(f'<th scope="col" class="right">{escape(name)}</th>' for name in names)
    body = "\n".join(_cell_row(cell, names) for cell in results["cells"])
    if not body:
        return ""
    said = (
        "<p>One row for each cell; the names are those of <code>data.csv</code>. The median over the trials, and "
        "below it their range. “too few”: not enough requests for that percentile.</p>"
    )
    table = (
        '<table class="dense sortable"><thead>'
        f'<tr><th scope="col">cell</th><th scope="col">status</th>{head}'
        f'<th scope="col">calls per request</th></tr></thead><tbody>{body}</tbody></table>'
    )
    return section("numbers", "Every number", said, scrolled(table, "every number of every cell"))


def _cell_row(cell, names):
    status = ", ".join([cell["status"], *cell.get("marks", ())])
    start = f'<tr id="{cell_anchor(cell["id"])}"><th scope="row">{escape(cell["id"])}</th><td>{escape(status)}</td>'
    metrics = cell.get("metrics", {})
    if cell["status"] == "not-run" or not metrics:
        return f'{start}<td class="note" colspan="{len(names) + 1}">{escape(cell.get("reason", ""))}</td></tr>'
    columns = []
    for name in names:
        metric = metrics.get(name)
        if metric is None:
            columns.append('<td class="right muted">-</td>')
            continue
        value = f' data-value="{metric["value"]}"' if metric.get("value") is not None else ""
        muted = " muted" if metric.get("quality") in ("too few", "none") else ""
        spread = f'<span class="range">{escape(metric["range_text"])}</span>' if metric.get("range_text") else ""
        columns.append(f'<td class="right{muted}"{value}>{escape(metric.get("text") or "-")}{spread}</td>')
    calls = ", ".join(f"{call['call']} {call['text']}" for call in cell.get("calls_per_request", ()))
    reason = f'<span class="range">{escape(cell["reason"])}</span>' if cell.get("reason") else ""
    return start + "".join(columns) + f'<td class="calls">{escape(calls)}{reason}</td></tr>'


def not_run(results):
    rows = [
        (series["label"], "everywhere", "cannot run here", series.get("reason", ""))
        for series in results["series"]
        if not series.get("available", True)
    ]
    absent = {series["id"] for series in results["series"] if not series.get("available", True)}
    words = {"not-run": "did not run", "failed": "failed", "partial": "some trials failed"}
    labels = {series["id"]: series["label"] for series in results["series"]}
    for cell in results["cells"]:
        if cell["status"] in words and not (cell["status"] == "not-run" and cell["series"] in absent):
            rows.append(
                (
                    labels.get(cell["series"], cell["series"]),
                    cell.get("level", ""),
                    words[cell["status"]],
                    cell.get("reason", ""),
                )
            )
    inner = facts_table(("model", "where", "what happened", "why"), rows) if rows else "<p>Everything ran.</p>"
    return section("not-run", "What could not run, and why", inner)


def nothing(results):
    noise = [sentence for sentence in results["found"] + results["notes"] if sentence.get("kind") == "noise"]
    if not noise:
        return ""
    said = (
        "<p>One model was entered twice under two names. It can differ from itself only by chance, so smaller "
        "differences between models mean nothing here.</p>"
    )
    return section("noise", "How large “nothing” is on this machine", said, _sentences(noise, "found"))


def who_is_who(results):
    rows = "".join(
        f'<tr><td>{swatch(series)}</td><th scope="row">{escape(series["label"])}</th>'
        f'<td>{escape(_family(series))}</td><td>{escape(series.get("summary", ""))}</td></tr>'
        for series in results["series"]
    )
    table = (
        "<table><caption>The same colour, marker, line and hatching in every picture.</caption><thead><tr>"
        '<th scope="col">sign</th><th scope="col">model</th><th scope="col">family</th>'
        f'<th scope="col">what its thread does</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    return section("models", "Who is who", scrolled(table, "the models and their signs") if rows else "")


def _family(series):
    number = series.get("family_number")
    return f"{number} {series.get('family', '')}" if number else series.get("family", "")


def ceilings(results):
    rows = [
        (ceiling["label"], ceiling.get("text", ""), ceiling.get("meaning", "")) for ceiling in results["ceilings"]
    ]
    return section(
        "ceilings",
        "What this machine can do at most",
        facts_table(("what", "measured", "what it is"), rows) if rows else "",
    )


def method(results):
    said = "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in results["method"]) + "</ul>"
    groups = []
    for fact in results["environment"]:
        if fact["group"] not in groups:
            groups.append(fact["group"])
    run = results["run"]
    shown = [
        facts_table(
            (group, ""), [(fact["label"], fact["text"]) for fact in results["environment"] if fact["group"] == group]
        )
        for group in groups
    ]
    identity = [
        ("run", run.get("id", "")),
        ("started", run.get("started", "")),
        ("finished", run.get("finished", "")),
        ("took", f"{run['duration_s']:g} s" if "duration_s" in run else ""),
        (
            "trials planned, done, failed",
            ", ".join(str(run.get(f"trials_{word}", "-")) for word in ("planned", "done", "failed")),
        ),
        ("trials per cell", str(run.get("repeat", ""))),
        ("seed of the order", str(run.get("seed", ""))),
        ("commit", f"{run.get('commit', '')}{' with local changes' if run.get('dirty') else ''}"),
        ("SHA-256 of the program", run.get("binary_sha256", "")),
        ("SHA-256 of the spec", run.get("spec_sha256", "")),
    ]
    return section(
        "method",
        "How it was done",
        said,
        '<div class="columns">',
        facts_table(("this run", ""), [row for row in identity if row[1]]),
        *shown,
        "</div>",
    )


def next_steps(results):
    command = results["run"].get("command")
    again = f"<p>The same again:</p><pre>{escape(command)}</pre>" if command else ""
    further = "".join(f"<pre>{escape(line)}</pre>" for line in results["next"])
    return section("next", "Repeat it, go on", again, f"<p>Worth typing next:</p>{further}" if further else "")


def footer(results):
    run = results["run"]
    return (
        f"<footer>Drawn by iolab from <code>results.json</code> of {escape(run.get('id', 'this run'))}; the "
        "numbers were computed by the run, the pictures are beside it in <code>figures/</code>. One machine, one day: "
        "compare ratios, not machines.</footer>"
    )
