"""Does correction help a loop on motion? Tables and curves of sweeps over its arms.

    motionloop sweep does_it_help --data DIR --out runs/n64
    motionloop sweep does_it_help --data DIR --out runs/n64_replace --loop.workflow replace
    python benchmarks/does_it_help.py runs/n64 runs/n64_replace [--out docs/does_it_help]

Writes NAME.png and NAME.md of every folder NAME: each metric by generation, and at the last one.
All arms of a seed share generation 0 and the random streams, so arms are compared seed by seed: a
difference is a mean over seeds with its own standard error. A sweep that goes on is read as far
as it is.
"""

import argparse
from pathlib import Path

import numpy as np
import yaml
from scipy.stats import t as student

from motionloop.loop.run_directory import RunDirectory
from motionloop.reproduce.drawing import draw
from motionloop.reproduce.record import Line, Measured, Panel
from motionloop.samples import InputError

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
UNCORRECTED, REAL = "uncorrected", "real only"

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
        draw(picture(arms), args.out / f"{folder.name}.png", "")
        written = args.out / f"{folder.name}.md"
        written.write_text(page(folder, arms), "utf-8")
        print(written)


def read(folder: Path) -> dict[str, dict[int, History]]:
    """Arm -> seed -> its history, in the order of the sweep's config."""
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    found = {
        arm: {
            int(seed.name.removeprefix("seed_")): RunDirectory(seed).history()
            for seed in sorted((folder / arm).glob("seed_*"))
        }
        for arm in config["sweep"]["arms"]
    }
    arms = {arm: seeds for arm, seeds in found.items() if any(seeds.values())}
    if not arms:
        raise InputError(f"{folder} has no generation of any arm yet")
    return arms


def values(seeds: dict[int, History], scalar: str) -> np.ndarray:
    """One scalar (S, G + 1), over the generations that all seeds have."""
    histories = [history for history in seeds.values() if history]
    shortest = min(map(len, histories))
    return np.array([[row.get(scalar, np.nan) for row in h[:shortest]] for h in histories])


def picture(arms: dict[str, dict[int, History]]) -> Measured:
    """Every metric by generation, with one standard error as a band."""
    panels = []
    for title, scalar, _ in METRICS:
        lines = []
        for arm, seeds in arms.items():
            found = values(seeds, scalar)
            error = found.std(0, ddof=1) / len(found) ** 0.5 if len(found) > 1 else ()
            lines.append(Line.of(arm, range(found.shape[1]), found.mean(0), error))
        panels.append(Panel(title, "generation", tuple(lines)))
    return Measured({}, tuple(panels), "")


def page(folder: Path, arms: dict[str, dict[int, History]]) -> str:
    """The tables: last generation, differences of FID, every metric by generation, cost."""
    last = max(values(seeds, "fid").shape[1] - 1 for seeds in arms.values())
    text = ["Last generation, mean ± standard error over seeds.\n"]
    text += _table(("arm", "seeds", *(title for title, _, _ in METRICS)), _ends(arms))
    for scalar, title in (("fid", "FID"), ("kinetic_fid", "Kinetic FID")):
        text.append(f"\n{title} at the last generation, differences of the same seeds.\n")
        text += _table(
            ("arm", *(f"less {other}" for other in (UNCORRECTED, REAL) if other in arms)),
            [
                (arm, *(_gap(arms, arm, o, scalar) for o in (UNCORRECTED, REAL) if o in arms))
                for arm in arms
                if arm not in (UNCORRECTED, REAL)
            ],
        )
    for title, scalar, digits in METRICS:
        text.append(f"\n{title} by generation.\n")
        text += _table(
            ("arm", *map(str, range(last + 1))),
            [
                (arm, *(_mean(column, digits) for column in values(seeds, scalar).T))
                for arm, seeds in arms.items()
            ],
        )
    text.append("\nWhat a generation costs, and what becomes of the synthetic samples.\n")
    text += _table(
        ("arm", "s of one core", "tracked", "accepted by the verifier", "training windows"),
        [(arm, _seconds(folder / arm), *_fate(seeds)) for arm, seeds in arms.items()],
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


def _gap(arms: dict[str, dict[int, History]], arm: str, other: str, scalar: str) -> str:
    """The mean difference with its standard error, and the probability of one so far from 0."""
    pairs = [
        (arms[arm][seed][-1], arms[other][seed][-1])
        for seed in arms[arm]
        if seed in arms[other] and arms[arm][seed] and arms[other][seed]
    ]
    gaps = np.array([a[scalar] - b[scalar] for a, b in pairs if a["generation"] == b["generation"]])
    if len(gaps) < 2:
        return "-"
    error = gaps.std(ddof=1) / len(gaps) ** 0.5
    chance = 2 * student.sf(abs(gaps.mean() / error), len(gaps) - 1)
    return f"{gaps.mean():+.2f} ± {error:.2f} (p = {chance:.2g})"


def _seconds(arm: Path) -> str:
    """Median time between the generations of a run; runs that were resumed do not shift it."""
    gaps = []
    for seed in arm.glob("seed_*"):
        times = [f.stat().st_mtime for f in sorted(seed.glob("generation_*/scalars.json"))]
        gaps += list(np.diff(times[1:]))  # generation 0 was copied
    return f"{np.median(gaps):.0f}" if gaps else "-"


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
