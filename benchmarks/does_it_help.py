"""Does correction help a loop on motion? Tables and curves of sweeps over its arms.

    motionloop sweep does_it_help --data DIR --out runs/n64
    motionloop sweep does_it_help_replace --data DIR --out runs/n64_replace
    python benchmarks/does_it_help.py runs/n64 runs/n64_replace [--out docs/does_it_help]

Writes NAME.png and NAME.md of every folder NAME: each metric by generation, and at the last one.
All arms of a seed share generation 0 and the random streams, so arms are compared seed by seed: a
difference is a mean over seeds with its own standard error, at the last generation and, steadier,
of the mean over the second half of them. Incomplete runs are left out.
"""

import argparse
from pathlib import Path

import numpy as np
import yaml
from scipy.stats import t as student

from motionloop.loop.run_directory import RunDirectory
from motionloop.samples import InputError
from motionloop.viewer.curves import STYLE

# Column, scalar, digits.
METRICS = (
    ("FID", "fid", 2),
    ("kinetic FID", "kinetic_fid", 1),
    ("caption agreement", "caption_agreement", 2),
    ("recall", "recall", 2),
    ("diversity within a class", "within_class_diversity", 2),
    ("skate, mm", "skate_mm", 1),
    ("penetration, mm", "penetrate_mm", 1),
    ("phys_err, mm", "phys_err_mm", 1),
    ("jerk", "jerk", 0),
    ("root travel, m", "root_travel_m", 2),
    ("memorised", "memorised", 2),
)
PICTURED = {
    "fid", "kinetic_fid", "caption_agreement", "within_class_diversity",
    "skate_mm", "penetrate_mm", "jerk", "root_travel_m",
}  # fmt: skip
# An arm's colour says what chooses its samples, a dashed line that physics corrects them.
LOOK = {
    "real only": ("black", "-"),
    "real copy": ("0.5", "-"),
    "uncorrected": ("#d62728", "-"),
    "uncorrected quarter": ("#ff9896", "-"),
    "kinematic": ("#d62728", ":"),
    "physics": ("#d62728", "--"),
    "physics half": ("#ff7f0e", "--"),
    "physics quarter": ("#ff9896", "--"),
    "physics eighth": ("#9467bd", "--"),
    "verifier": ("#1f77b4", "-"),
    "physics and verifier": ("#1f77b4", "--"),
    "cover": ("#2ca02c", "-"),
    "physics and cover": ("#2ca02c", "--"),
}
COMPARED_WITH = ("uncorrected", "uncorrected quarter", "real only")

History = list[dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", type=Path, nargs="+", help="folders of `motionloop sweep`")
    parser.add_argument("--out", type=Path, default=Path("docs/does_it_help"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for folder in args.sweeps:
        arms = read(folder)
        picture(arms, args.out / f"{folder.name}.png")
        written = args.out / f"{folder.name}.md"
        written.write_text(page(arms), "utf-8")
        print(written)


def read(folder: Path) -> dict[str, dict[int, History]]:
    """Arm -> seed -> its history, in the order of the sweep's config; runs that are complete."""
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    length = config["loop"]["generations"] + 1
    arms: dict[str, dict[int, History]] = {}
    for arm in config["sweep"]["arms"]:
        for seed in sorted((folder / arm).glob("seed_*")):
            history = RunDirectory(seed).history()
            if len(history) == length:
                arms.setdefault(arm, {})[int(seed.name.removeprefix("seed_"))] = history
    if not arms:
        raise InputError(f"{folder} has no complete run of any arm yet")
    return arms


def values(seeds: dict[int, History], scalar: str) -> np.ndarray:
    """One scalar (S, G + 1)."""
    return np.array([[row.get(scalar, np.nan) for row in history] for history in seeds.values()])


def picture(arms: dict[str, dict[int, History]], path: Path) -> None:
    """Eight metrics by generation, with one standard error as a band."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(13, 6.4), layout="constrained")
        axes = list(figure.subplots(2, 4).flat)
        for axis, (title, scalar, _) in zip(axes, (m for m in METRICS if m[1] in PICTURED)):
            for arm, seeds in arms.items():
                colour, line = LOOK.get(arm, ("0.5", "-"))
                found = values(seeds, scalar)
                mean, steps = found.mean(0), range(found.shape[1])
                axis.plot(steps, mean, color=colour, linestyle=line, linewidth=1.6, label=arm)
                if len(found) > 1:
                    error = found.std(0, ddof=1) / len(found) ** 0.5
                    axis.fill_between(
                        steps, mean - error, mean + error, color=colour, alpha=0.1, linewidth=0
                    )
            axis.set_title(title, fontsize=10)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=9)
        figure.savefig(path, dpi=80)


def page(arms: dict[str, dict[int, History]]) -> str:
    """The tables: last generation, differences, every metric by generation, fate of samples."""
    generations = values(next(iter(arms.values())), "fid").shape[1]
    text = ["Last generation, mean ± standard error over seeds.\n"]
    text += _table(("arm", "seeds", *(title for title, _, _ in METRICS)), _ends(arms))
    last, half = generations - 1, generations // 2
    others = [arm for arm in COMPARED_WITH if arm in arms]
    for scalar, title in (("fid", "FID"), ("kinetic_fid", "Kinetic FID")):
        for first, when in (
            (last, "at the last generation"),
            (half, f"as a mean over generations {half} to {last}"),
        ):
            text.append(f"\n{title} {when}, differences of the same seeds.\n")
            text += _table(
                ("arm", *(f"less {other}" for other in others)),
                [(arm, *(_gap(arms, arm, o, scalar, first) for o in others)) for arm in arms],
            )
    for title, scalar, digits in METRICS:
        text.append(f"\n{title} by generation.\n")
        text += _table(
            ("arm", *map(str, range(generations))),
            [
                (arm, *(_mean(column, digits) for column in values(seeds, scalar).T))
                for arm, seeds in arms.items()
            ],
        )
    text.append("\nWhat becomes of the synthetic samples, mean over generations.\n")
    text += _table(
        ("arm", "tracked", "accepted by the verifier", "training windows"),
        [(arm, *_fate(seeds)) for arm, seeds in arms.items()],
    )
    return "\n".join(text) + "\n"


def _ends(arms: dict[str, dict[int, History]]) -> list[tuple]:
    """Every metric of every arm at its last generation, and of real data."""
    real = next(iter(next(iter(arms.values())).values()))[0]
    rows = [
        (arm, len(seeds), *(_mean(values(seeds, s)[:, -1], digits) for _, s, digits in METRICS))
        for arm, seeds in arms.items()
    ]
    return [*rows, ("real data", "", *(f"{real[f'real/{s}']:.{d}f}" for _, s, d in METRICS))]


def _mean(found: np.ndarray, digits: int) -> str:
    if len(found) < 2:
        return f"{found.mean():.{digits}f}"
    return f"{found.mean():.{digits}f} ± {found.std(ddof=1) / len(found) ** 0.5:.{digits}f}"


def _gap(arms: dict[str, dict[int, History]], arm: str, other: str, scalar: str, first: int) -> str:
    """The mean difference from generation `first` on, its standard error and its p value."""
    both = arms[arm].keys() & arms[other].keys()
    if len(both) < 2:
        return "-"
    ones, others = (values({s: arms[a][s] for s in both}, scalar) for a in (arm, other))
    gaps = (ones - others)[:, first:].mean(1)
    if not gaps.any():
        return "-"
    error = gaps.std(ddof=1) / len(gaps) ** 0.5
    chance = 2 * student.sf(abs(gaps.mean() / error), len(gaps) - 1)
    return f"{gaps.mean():+.2f} ± {error:.2f} (p = {chance:.2g})"


def _fate(seeds: dict[int, History]) -> tuple[str, str, str]:
    rows = [row for history in seeds.values() for row in history[1:]]

    def share(name: str, digits: int = 2) -> str:
        found = [row[name] for row in rows if name in row]
        return f"{np.mean(found):.{digits}f}" if found else "-"

    return share("corrector/success"), share("corrector/accepted"), share("train/size", 0)


def _table(head: tuple, rows: list[tuple]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


if __name__ == "__main__":
    main()
