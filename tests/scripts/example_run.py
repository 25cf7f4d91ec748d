"""The documented example of a run, in English and as if it had been written in Chinese, and how to draw it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tests/experiments/data/example_results.json"
FOUND = "每个请求的系统调用次数：epoll 为 3.07；其余难分高下。"  # before each finding, to tell the languages apart


def english():
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


def catalogue(language):
    return json.loads((ROOT / f"experiments/catalogue/{language}.json").read_text(encoding="utf-8"))


def chinese(results=None):
    """The same members and numbers as the example or these, with other texts where a reader looks first."""
    results, texts = json.loads(json.dumps(results or english())), catalogue("zh")
    results["run"]["language"] = "zh"
    results["words"] = {key: text for key, text in texts.items() if key.startswith("page.")}
    for sentence in results["found"]:
        sentence["text"] = f"{FOUND} {sentence['text']}"
    for chart in results["charts"]:
        chart["title"] = f"每个请求的服务器 CPU 时间，{chart['title']}"
        chart["alt"] = f"折线图：{chart['alt']}"
        for axis in ("x", "y"):
            if axis in chart:
                chart[axis]["label"] = "空闲连接数"
    return results


def draw(results, directory, in_chinese=None, **environment):
    """Writes the results into the directory and draws them there; a text is written as it is."""
    for name, content in (("results.json", results), ("results.zh.json", in_chinese)):
        if content is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (directory / name).write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-B", str(ROOT / "scripts/report.py"), str(directory)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env={**os.environ, **environment},
    )
