"""The page of results: for every experiment the curve, the paper's figures, ours, the verdicts.

`reproduction.md` shows the pictures beside it; `reproduction.html` is the same page in one file.
"""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

from motionloop.reproduce.drawing import draw
from motionloop.reproduce.record import Size
from motionloop.reproduce.results import FOLDER, Result, stem
from motionloop.reproduce.verdict import Judgement, Verdict
from motionloop.samples import write_whole

_INTRODUCTION = """# The papers' experiments, run here

Every verdict on this page is computed from the figures beside it. A figure stands with its
standard error over seeds. It agrees with the paper's within three combined standard errors, or
within the tolerance that the row states. With as many comparisons as here, one in a few hundred
falls outside three standard errors by chance. *Not resolved at this size* means that this run did
not measure the figure, or too coarsely to tell.

`motionloop reproduce` lists the experiments; `motionloop reproduce NAME --size {size}` runs one.
"""
_STYLE = """body{max-width:60em;margin:2em auto;padding:0 1em;font:16px/1.5 sans-serif;
color:#222}
img{max-width:100%}table{border-collapse:collapse;margin:1em 0}
td,th{border-bottom:1px solid #ddd;padding:.25em .7em;text-align:left;font-size:14px}
code{background:#f3f3f3;padding:.1em .3em}"""


def write_page(results: Sequence[Result], size: Size, out: Path) -> tuple[Path, Path]:
    """Draw the pictures and write the page twice.

    Returns:
        The Markdown file and the HTML file.
    """
    for result in results:
        draw(result.measured, _picture(result, out), result.experiment.question)
    text = markdown(results, size)
    pages = out / "reproduction.md", out / "reproduction.html"
    write_whole(pages[0], lambda file: file.write(text.encode()))
    write_whole(pages[1], lambda file: file.write(_html(text, out).encode()))
    return pages


def markdown(results: Sequence[Result], size: Size) -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION.format(size=size), _summary(results)]
    parts += [_section(result) for result in results]
    return "\n".join(parts)


def _picture(result: Result, out: Path) -> Path:
    return out / FOLDER / f"{stem(result.experiment.name, result.size)}.png"


def _summary(results: Sequence[Result]) -> str:
    rows = [
        (f"[{r.experiment.name}](#{r.experiment.name})", claim.text, f"**{verdict}**")
        for r in results
        for claim, (verdict, _) in zip(r.experiment.claims, r.judgements())
    ]
    return _table(("experiment", "claim", "verdict"), rows)


def _section(result: Result) -> str:
    experiment, measured = result.experiment, result.measured
    picture = f"{FOLDER}/{stem(experiment.name, result.size)}.png"
    lines = [
        f"## {experiment.name}",
        "",
        f"{experiment.paper}. {experiment.question}",
        "",
        f"Size `{result.size}`: {measured.setting} {result.seconds:.0f} s of processor time.",
        "",
        f"![{experiment.name}]({picture})",
        "",
    ]
    if experiment.theory:
        lines += [experiment.theory, ""]
    for claim, (verdict, checks) in zip(experiment.claims, result.judgements()):
        lines += [f"**{claim.text}** ({claim.source}) {_phrase(verdict)}", ""]
        lines += [_table(("figure", "paper", "here", "verdict"), map(_row, checks))]
    for note in measured.notes:
        lines += [note, ""]
    return "\n".join(lines)


def _phrase(verdict: Verdict) -> str:
    return {
        Verdict.HOLDS: "It **holds**.",
        Verdict.FAILS: "It **does not hold** here.",
        Verdict.OPEN: "It is **not resolved at this size**.",
    }[verdict]


def _row(check: Judgement) -> tuple[str, str, str, str]:
    return check.what, check.paper, check.ours, str(check.verdict)


def _table(head: Sequence[str], rows) -> str:
    cells = [head, ["---"] * len(head), *rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join(lines) + "\n"


def _html(text: str, out: Path) -> str:
    """The page in one file: its pictures are inside it."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(text)
    body = re.sub(r"<h2>(\w+)</h2>", r'<h2 id="\1">\1</h2>', body)

    def inside(match: re.Match) -> str:
        picture = base64.b64encode((out / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{picture}"'

    body = re.sub(rf'src="({FOLDER}/[^"]+)"', inside, body)
    head = f'<meta charset="utf-8"><title>The papers\' experiments</title><style>{_STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>\n"
