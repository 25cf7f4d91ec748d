"""Block 10: how it was done, what limits what follows from it, and how to do it again."""

from html import escape

from .tables import facts_table


def said(edition):
    return _listed(edition.results["method"])


def threats(edition):
    return _listed(edition.results["threats"])


def _listed(sentences):
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in sentences) + "</ul>" if sentences else ""


def ceilings(edition):
    words = edition.words
    rows = [
        (ceiling["label"], ceiling.get("text", ""), ceiling.get("meaning", ""))
        for ceiling in edition.results["ceilings"]
    ]
    heads = (words("what"), words("measured"), words("meaning"))
    return facts_table(heads, rows, caption=words("section.ceilings")) if rows else ""


def environment(edition):
    """What the run says of itself, and the machine's facts by group."""
    words = edition.words
    facts = edition.results["environment"]
    shown = [_two_columns(words, words("this_run"), _identity(edition))]
    for group in dict.fromkeys(fact["group"] for fact in facts):
        rows = [(fact["label"], fact["text"]) for fact in facts if fact["group"] == group]
        shown.append(_two_columns(words, group, rows))
    return '<div class="columns">' + "\n".join(shown) + "</div>"


def _two_columns(words, caption, rows):
    return facts_table((words("what"), words("measured")), rows, caption=caption)


def _identity(edition):
    words, run = edition.words, edition.results["run"]
    counts = ", ".join(str(run.get(f"trials_{word}", "-")) for word in ("planned", "done", "failed"))
    changed = f" {words('local_changes')}" if run.get("dirty") else ""
    rows = [
        ("run", run.get("id", "")),
        ("started", run.get("started", "")),
        ("finished", run.get("finished", "")),
        ("took", f"{run['duration_s']:g} s" if "duration_s" in run else ""),
        ("trials_counts", counts),
        ("trials_per_cell", str(run.get("repeat", ""))),
        ("seed", str(run.get("seed", ""))),
        ("commit", run.get("commit", "") + changed),
        ("binary_sha256", run.get("binary_sha256", "")),
        ("spec_sha256", run.get("spec_sha256", "")),
    ]
    return [(words(key), text) for key, text in rows if text]


def commands(edition):
    words, command = edition.words, edition.results["run"].get("command")
    again = f"<p>{words.html('again')}</p><pre>{escape(command)}</pre>" if command else ""
    further = "".join(f"<pre>{escape(line)}</pre>" for line in edition.results["next"])
    return again + (f"<p>{words.html('worth_typing')}</p>{further}" if further else "")
