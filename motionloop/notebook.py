"""How clips and runs show themselves in a notebook.

    import motionloop.notebook as notebook

    clip                                                    a player, as `import` taught IPython
    notebook.Clips([raw, corrected], ["raw", "corrected"])  a player of both
    notebook.Run("runs/motion")                             table and curves

Everything is in the cell's output: no server, no network.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from motionloop.experiment import TASKS, task_module
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions
from motionloop.report.arms import group, metrics_of, real
from motionloop.report.figures import metric_figure
from motionloop.report.runs import read_runs
from motionloop.samples import InputError
from motionloop.viewer.units import label_and_unit, read_number
from motionloop.viewer.web.player import player_html
from motionloop.viewer.web.scene import Scene, ShownClip
from physics.motion import SmplMotion

_HEIGHT = 560  # pixels of a player
_SCENES = 12  # clips of a batch that its player lists


@dataclass(frozen=True)
class Clips:
    """Clips that play beside each other.

    Attributes:
        clips: at least one.
        titles: one a clip, or none.
        body: whose skin is shown; None takes the shipped one.
    """

    clips: Sequence[SmplMotion]
    titles: Sequence[str] = ()
    body: Body | None = None

    def _repr_html_(self) -> str:
        if self.titles and len(self.titles) != len(self.clips):
            raise InputError(
                f"{len(self.titles)} titles for {len(self.clips)} clips; give one each or none"
            )
        titles = self.titles or [clip.caption for clip in self.clips]
        shown = tuple(ShownClip(clip, title) for clip, title in zip(self.clips, titles))
        return _framed([Scene(", ".join(filter(None, titles)) or "clips", shown)], self.body)


@dataclass(frozen=True)
class Run:
    """A run or sweep folder: what each generation came to.

    Attributes:
        path: the folder.
    """

    path: str | Path

    def _repr_html_(self) -> str:
        runs = read_runs([Path(self.path)])
        arms = group([run for run in runs if run.history])
        if not arms:
            raise InputError(f"{self.path}: no generation is complete yet")
        task, known = runs[0].config["task"].get("name"), metrics_of(arms)
        wanted = task_module(task).HEADLINE if task in TASKS else known
        names = [name for name in wanted if name in known] or known[:8]
        heads = "".join(f"<th>{html.escape(' '.join(label_and_unit(n)))}</th>" for n in names)
        rows = []
        for arm in arms:
            lines = [arm.line(name) for name in names]
            shown = range(len(lines[0].generations)) if len(arms) == 1 else [-1]
            for k in shown:
                cells = "".join(f"<td>{read_number(line.middle[k])}</td>" for line in lines)
                at = f"{html.escape(arm.label)}, {lines[0].generations[k]:g}"
                rows.append(f"<tr><th>{at}</th>{cells}</tr>")
        goals = [real(arms, name) for name in names]
        if any(goal == goal for goal in goals):
            cells = "".join(f"<td>{read_number(goal)}</td>" for goal in goals)
            rows.append(f"<tr><th>real data</th>{cells}</tr>")
        figures = "".join(
            f'<div style="width:280px">{metric_figure(arms, name).svg}</div>' for name in names
        )
        return (
            f"<table><thead><tr><th>generation</th>{heads}</tr></thead>{''.join(rows)}</table>"
            f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>'
        )


def motions_html(motions: Motions) -> str:
    """A player that lists the first clips of a batch."""
    clips = motions[:_SCENES].unpack()
    if not clips:
        return "<p>no clips</p>"
    scenes = [
        Scene(f"{n}: {clip.caption}".rstrip(": "), (ShownClip(clip, clip.caption),))
        for n, clip in enumerate(clips)
    ]
    return _framed(scenes, None)


def clip_html(clip: SmplMotion) -> str:
    """A player of one clip."""
    return Clips([clip])._repr_html_()


def _framed(scenes: list[Scene], body: Body | None) -> str:
    """A player's page inside a cell's output, apart from the notebook's own scripts."""
    page = player_html(scenes, body or _shipped(), title="")
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" loading="lazy" '
        f'style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'
    )


@lru_cache(maxsize=1)
def _shipped() -> Body:
    return Body.load()


def _teach_ipython() -> None:
    """Let bare clips and batches show themselves, where a notebook is running."""
    try:
        from IPython import get_ipython  # pyright: ignore[reportPrivateImportUsage]
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type(SmplMotion, clip_html)
        formatter.for_type(Motions, motions_html)


_teach_ipython()
