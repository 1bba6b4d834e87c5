"""Writing a report: one page that stands alone, and beside it Markdown, SVG, CSV and the samples.

- `DIR/report.html`: everything, in one file.
- `DIR/report.md`: the same in Markdown, which refers to the files below.
- `DIR/figures/`: SVG and CSV of every figure.
- `DIR/samples/`: videos, and strips of their pictures.
- `DIR/configs/`: the config of every run.
"""

import base64
from collections.abc import Callable
from pathlib import Path

from motionloop.report.arms import group
from motionloop.report.clips import media
from motionloop.report.content import Content, write_content
from motionloop.report.runs import Run, read_runs
from motionloop.samples import InputError, write_whole

_SUFFIX = {"video/mp4": ".mp4", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}


def write_report(
    paths: list[Path],
    out: Path,
    question: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    with_samples: bool = True,
) -> Content:
    """Write a report on runs into the folder `out`.

    Args:
        paths: run folders, sweep folders, or folders that hold them.
        out: made if need be; an older report in it is replaced.
        question: what the runs are to answer, one sentence; None names what differs.
        progress: called with pictures of samples done and in all.
        with_samples: whether samples are filmed, which takes most of the time.

    Returns:
        What the report says.

    Raises:
        InputError: a path is no run, no generation is complete anywhere, or `out` holds
            something that is no report.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / "report.html").is_file():
        raise InputError(f"{out} is not empty and holds no report; choose another --out")
    runs = read_runs(paths)
    problems = [text for run in runs for text in _problems(run)]
    arms = group([run for run in runs if run.history])
    if not arms:
        raise InputError("no generation is complete yet: " + "; ".join(problems))
    shots, player = media(arms, progress, problems) if with_samples else ([], "")
    content = write_content(arms, question, shots, player, problems)
    _write(content, out)
    return content


def _problems(run: Run) -> list[str]:
    name = run.label if run.source == run.path else f"{run.label}, {run.path.name}"
    found = [f"{name}: {text}" for text in run.problems]
    if not run.history:
        found.append(f"{name}: no generation is complete yet")
    return found


def _write(content: Content, out: Path) -> None:
    """All files, the page last."""
    for figure in content.figures:
        _text(out / "figures" / f"{figure.name}.svg", figure.file)
        _text(out / "figures" / f"{figure.name}.csv", figure.csv)
    for shots in content.media.values():
        for shot in shots:
            _bytes(out / "samples" / f"{shot.name}{_SUFFIX[shot.kind]}", shot.content)
            if shot.still:
                _bytes(out / "samples" / f"{shot.name}.jpg", shot.still)
    for source in content.sources:
        _text(out / "configs" / f"{source.name}.yaml", source.config)
    _text(out / "report.md", _rendered("report.md.j2", content))
    _text(out / "report.html", _rendered("report.html.j2", content))


def _rendered(template: str, content: Content) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.globals["suffix"] = _SUFFIX
    return environment.get_template(template).render(report=content)


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _text(path: Path, text: str) -> None:
    _bytes(path, text.encode())


def _bytes(path: Path, content: bytes) -> None:
    write_whole(path, lambda file: file.write(content))
