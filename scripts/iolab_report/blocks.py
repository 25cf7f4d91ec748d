"""The eleven blocks of the page, the answer first. Each is a function from an edition to markup.

A block that has nothing to show says why in one line, so that the numbers of the blocks mean the same in every report.
"""

from html import escape

from . import method, numbers
from .charts import figure
from .swatch import swatch
from .tables import cell_anchor, facts_table, scrolled

LINKS = 5  # cells that a sentence links to as its evidence; all of them are in "Every number"
FIRST = 5  # findings that are open at once; the others are one click below them
ARROWS = {
    "clearly_more": "▲",
    "probably_more": "▲",
    "clearly_less": "▼",
    "probably_less": "▼",
    "same": "=",
    "too_close": "≈",
    "cannot_say": "?",
}


def block(edition, name, *parts, css=""):
    """A numbered part of the page; a screen of its own in projector mode, unless it is `plain`."""
    inner = "\n".join(part for part in parts if part)
    if not inner:
        css, inner = "plain", f'<p class="muted">{edition.words.html(f"nothing.{name}")}</p>'
    return (
        f'<section class="block {css}" id="{edition.anchor(name)}">\n'
        f"<h2>{edition.words.html(f'section.{name}')}</h2>\n{inner}\n</section>"
    )


def part(edition, name, inner, css=""):
    """A part of a block, with a heading of its own."""
    if not inner:
        return ""
    heading = f"<h3>{edition.words.html(f'section.{name}')}</h3>"
    return f'<div class="part {css}" id="{edition.anchor(name)}">\n{heading}\n{inner}\n</div>'


def header(edition):
    run, words = edition.results["run"], edition.words
    profile = run.get("profile") and words(f"profile.{run['profile']}")
    kicker = " · ".join(text for text in ("iolab", run.get("experiment"), profile) if text)
    started = run.get("started", "").replace("T", " ").replace("Z", " UTC")
    facts = [run.get("machine"), started, run.get("status_text"), run.get("grade", {}).get("text")]
    return (
        f'<header>\n<p class="kicker">{escape(kicker)}</p>\n'
        f'<h1>{escape(run.get("question") or run.get("id", ""))}</h1>\n'
        + (f'<p class="background">{escape(run["background"])}</p>\n' if run.get("background") else "")
        + '<ul class="facts">'
        + "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
        + "</ul>\n</header>"
    )


def predict(edition):
    """What a reader may expect, to pick before looking; page.js keeps the rest covered until then."""
    words, options = edition.words, edition.results["run"].get("predict")
    if not options:
        return ""
    choices = "".join(
        f'<label><input type="radio" name="{edition.anchor("predicted")}"> {escape(option)}</label>'
        for option in options
    )
    button = f'<button type="button" hidden>{words.html("show_answer")}</button>'
    label = words.html("section.predict")
    return block(edition, "predict", f'<fieldset aria-label="{label}">{choices}{button}</fieldset>', css="predict")


def answer(edition):
    words, found = edition.words, edition.results["found"]
    more = _sentences(edition, found[FIRST:], "found")
    title = f"{words.html('section.also_found')} ({len(found) - FIRST})"
    opened = f'<details class="also"><summary>{title}</summary>{more}</details>' if more else ""
    warnings = len(_warnings(edition))
    link = f'<a href="#{edition.anchor("notes")}">{words.html("section.notes")} ({warnings})</a>'
    warned = f'<p class="offstage">{link}</p>' if warnings else ""
    return block(
        edition,
        "answer",
        _badges(edition),
        _sentences(edition, found[:FIRST], "found lead", "ol"),
        f'<div class="more">{opened}{warned}</div>' if opened or warned else "",
    )


def _badges(edition):
    """The words of the comparison that was fixed before the run, each with the models that it is said of."""
    judgement = edition.results.get("judgement")
    if not judgement:
        return ""
    groups = {}
    for verdict in judgement["verdicts"]:
        groups.setdefault((verdict["word"], verdict.get("word_id")), []).append(
            edition.series[verdict["series"]]["label"]
        )
    badges = "".join(
        f'<li><b class="badge">{ARROWS.get(word_id, "·")} {escape(word)}</b> {escape(", ".join(models))}</li>'
        for (word, word_id), models in groups.items()
    )
    lead = edition.words.html(
        "badges", metric=judgement["label"], level=judgement["level"], baseline=judgement.get("baseline", "")
    )
    return f'<div class="badges"><p>{lead}</p><ul>{badges}</ul></div>'


def _sentences(edition, sentences, css, ordered="ul"):
    items = [
        f'<li class="step"><span class="kind"><b>{edition.words.html("kind." + sentence.get("kind", ""))}</b></span>'
        f'<p>{escape(sentence["text"])}{_evidence(edition, sentence.get("cells", ()))}</p></li>'
        for sentence in sentences
    ]
    return f'<{ordered} class="{css}">' + "\n".join(items) + f"</{ordered}>" if items else ""


def _evidence(edition, cells):
    links = "".join(
        f' <a href="#{edition.anchor(cell_anchor(cell))}" title="{escape(cell)}">{number}</a>'
        for number, cell in enumerate(cells[:LINKS], 1)
    )
    if len(cells) > LINKS:
        links += f" {edition.words.html('evidence_more', cells=len(cells))}"
    label = edition.words.html("evidence")
    return f' <span class="evidence" role="group" aria-label="{label}">{links}</span>' if links else ""


def picture(edition):
    figures = [figure(edition, chart) for chart in edition.charts("picture")]
    return block(edition, "picture", *figures, who_is_who(edition) if figures else "")


def who_is_who(edition):
    words = edition.words
    rows = "".join(
        f'<tr><td>{swatch(series)}</td><th scope="row">{escape(series["label"])}</th>'
        f'<td>{escape(_family(series))}</td><td>{escape(series.get("summary", ""))}</td></tr>'
        for series in edition.results["series"]
    )
    heads = "".join(
        f'<th scope="col">{words.html(key)}</th>' for key in ("sign", "model", "family", "what_thread_does")
    )
    table = (
        f"<table><caption>{words.html('models_said')}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    summary = words.html("section.models")
    return f"<details><summary>{summary}</summary>{scrolled(table, words('models_label'))}</details>" if rows else ""


def _family(series):
    number = series.get("family_number")
    return f"{number} {series.get('family', '')}" if number else series.get("family", "")


def how_sure(edition):
    """The comparison that was fixed before the run, and how much one model differs from itself."""
    figures = [figure(edition, chart) for chart in edition.charts("how_sure")]
    judged = "" if figures else _judged_by(edition)
    beside = f'<div class="offstage">{_judged_by(edition)}</div>' if figures else ""
    return block(edition, "how_sure", beside, *figures, _verdicts(edition, judged), _noise(edition))


def _judged_by(edition):
    judgement, words = edition.results.get("judgement"), edition.words
    if not judgement:
        return ""
    by = "judged_by_duets" if judgement["by"] == "duets" else "judged_by_trials"
    said = words.html(by, metric=judgement["label"], level=judgement["level"])
    known = judgement.get("floor") is not None or "floor" not in judgement
    floor = words.html("floor_said", floor=judgement["floor_text"]) if known else words.html("floor_unknown")
    return f"<p>{said} {floor}</p>"


def _verdicts(edition, judged):
    judgement, words = edition.results.get("judgement"), edition.words
    if not judgement:
        return ""
    rows = [
        (
            edition.series[verdict["series"]]["label"],
            verdict["word"],
            verdict["text"],
            *_signs(words, verdict),
        )
        for verdict in judgement["verdicts"]
    ]
    heads = tuple(words(key) for key in ("model", "word", "ratio_range", "one_side", "p_corrected"))
    table = facts_table(heads, rows, caption=words("verdicts_label"))
    return f'<div class="step">{judged}{table}</div>'


def _signs(words, verdict):
    """How many ratios lie on one side, and how often chance does that; nothing of what could not run."""
    ratios = verdict["more"] + verdict["less"]
    if ratios == 0:
        return "–", "–"
    return words("of", side=max(verdict["more"], verdict["less"]), all=ratios), f"{verdict['p_holm']:.3g}"


def _noise(edition):
    results = edition.results
    noise = [sentence for sentence in results["found"] + results["notes"] if sentence.get("kind") == "noise"]
    if not noise:
        return ""
    said = f"<p>{edition.words.html('noise_said')}</p>"
    return part(edition, "noise", said + _sentences(edition, noise, "found"), css="step")


def limit(edition):
    figures = [figure(edition, chart) for chart in edition.charts("limits")]
    tables = [
        f'<details><summary>{escape(table["title"])}</summary>'
        f"{numbers.data_table(edition, table)}</details>"
        for table in edition.tables("limits")
    ]
    return block(edition, "limit", *figures, *tables, "" if figures or tables else method.ceilings(edition))


def _figures(edition, role):
    return block(edition, role, *(figure(edition, chart) for chart in edition.charts(role)))


def one_request(edition):
    return _figures(edition, "one_request")


def time_and_cpu(edition):
    return _figures(edition, "time_and_cpu")


def tail(edition):
    return _figures(edition, "tail")


def regimes(edition):
    return _figures(edition, "map")


def every_number(edition):
    return block(
        edition,
        "numbers",
        part(edition, "not_run", numbers.not_run(edition), css="step"),
        *numbers.tables(edition),
        part(edition, "cells", numbers.every_cell(edition), css="offstage"),
    )


def _warnings(edition):
    complaints = [{"kind": "limit", "text": text} for text in edition.complaints]
    return complaints + list(edition.results["notes"])


def how_it_was_done(edition):
    notes = _sentences(edition, _warnings(edition), "found")
    limits_shown = edition.charts("limits") or edition.tables("limits")
    return block(
        edition,
        "method",
        part(edition, "notes", f'<div class="notes">{notes}</div>' if notes else "", css="step"),
        f'<div class="step">{method.said(edition)}</div>' if edition.results["method"] else "",
        part(edition, "threats", method.threats(edition), css="step"),
        method.ceilings(edition) if limits_shown else "",
        part(edition, "environment", method.environment(edition), css="offstage"),
        part(edition, "next", method.commands(edition), css="step"),
    )


def think(edition):
    words = edition.words
    questions = "".join(f'<li class="step">{escape(text)}</li>' for text in edition.results["think"])
    entries = "".join(
        f"<dt>{words.html(f'term.{name}')}</dt><dd>{escape(meaning)}</dd>"
        for name, meaning in words.listed("meaning.")
    )
    foreseen = (
        part(edition, name, f"<p>{escape(edition.results['run'].get(name) or '')}</p>", css="step")
        for name in ("expected", "refuted_by")
        if edition.results["run"].get(name)
    )
    return block(
        edition,
        "think",
        *foreseen,
        f'<ol class="questions">{questions}</ol>' if questions else "",
        part(edition, "glossary", f"<dl>{entries}</dl>" if entries else "", css="offstage"),
    )


def footer(edition):
    run = edition.results["run"]
    said = edition.words.html("footer", run=run.get("id") or edition.words("this_run"))
    return f"<footer>{said}</footer>"


IN_ORDER = (
    answer, picture, how_sure, limit, one_request, time_and_cpu, tail, regimes, every_number, how_it_was_done,
    think,
)  # fmt: skip
NAMES = (
    "answer", "picture", "how_sure", "limit", "one_request", "time_and_cpu", "tail", "map", "numbers", "method",
    "think",
)  # fmt: skip
