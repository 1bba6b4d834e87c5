"""Importing: folders of motion files of any known format become a data set of ours.

Files are read in parallel processes. What cannot be read is reported with its reason and the
rest goes on. The data set appears under its name only when it is complete.
"""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.dataset import Entry, entry_of, new_folder, write_index
from motionloop.motion.formats import KNOWN, SUFFIXES, read_motion
from motionloop.samples import InputError
from physics.motion import MotionError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        out: the data set's folder.
        read: its entries, as in index.json.
        skipped: files that could not be read, each with the reason.
    """

    out: Path
    read: list[Entry]
    skipped: list[tuple[Path, str]]

    @property
    def mean_fit_error_m(self) -> float:
        """Mean joint fitting error over all frames of clips that were fitted, m; else 0."""
        fitted = [(e["fit_error_m"], e["frames"]) for e in self.read if e["fit_error_m"] > 0]
        if not fitted:
            return 0.0
        errors, frames = zip(*fitted)
        return float(np.average(errors, weights=frames))

    def summary(self) -> str:
        """One line for the user."""
        seconds = sum(entry["frames"] / entry["fps"] for entry in self.read)
        line = f"read {len(self.read)} clips ({seconds / 60:.1f} min) into {self.out}"
        if self.mean_fit_error_m > 0:
            line += f", mean joint fitting error {100 * self.mean_fit_error_m:.2f} cm"
        return f"{line}; skipped {len(self.skipped)}"


def import_motion(
    sources: list[Path],
    out: Path,
    body: Body,
    workers: int = 1,
    progress: Progress | None = None,
    fps: float = 30.0,
) -> ImportReport:
    """Make a data set from motion files and folders of them.

    Args:
        sources: files, and folders that are searched through all levels for .bvh and .npz.
        out: the new folder.
        body: the body that the motions are fitted to and levelled with.
        workers: processes.
        progress: called as `progress(done, total)` after every file.
        fps: clips at a higher rate are resampled to this one, Hz; lower rates are kept.

    Raises:
        InputError: `out` holds something, a source is missing, or no file could be read.
    """
    out = Path(out)
    names = _named(_files([Path(source) for source in sources]))
    with new_folder(out) as partial:
        jobs = [(path, name, partial, fps) for path, name in names.items()]
        read: list[Entry] = []
        skipped: list[tuple[Path, str]] = []
        for path, result in _results(jobs, body, workers, progress):
            if isinstance(result, str):
                skipped.append((path, result))
            else:
                read.append(result)
        if not read:
            first = f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
            raise InputError(f"none of {len(jobs)} files could be read{first}")
        read.sort(key=lambda entry: entry["name"])
        write_index(partial, read)
    return ImportReport(out, read, sorted(skipped))


def _files(sources: list[Path]) -> list[tuple[Path, Path]]:
    """Motion files, each with the folder that it was found through."""
    found: dict[Path, Path] = {}
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)
            found.update({path: source for path in inside if path.is_file()})
        elif source.is_file():
            found[source] = source.parent
        else:
            raise InputError(f"no such file or folder: {source}")
    if not found:
        raise InputError(f"no motion file in {', '.join(map(str, sources))}; known are {KNOWN}")
    return list(found.items())


def _named(files: list[tuple[Path, Path]]) -> dict[Path, str]:
    """A name for every file: its stem, or its way from the source where stems are alike."""
    stems = Counter(path.stem for path, _ in files)
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path, source in files:
        name = path.stem
        if stems[name] > 1 or name in taken:
            name = "_".join(path.relative_to(source).with_suffix("").parts)
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique)
        names[path] = unique
    return names


def _results(
    jobs: list[tuple[Path, str, Path, float]], body: Body, workers: int, progress: Progress | None
) -> Iterable[tuple[Path, Entry | str]]:
    """The entry of every file, or why it was skipped; in any order."""
    total, done = len(jobs), 0
    if workers <= 1:
        for job in jobs:
            yield job[0], _import_one(job, body)
            done += 1
            if progress:
                progress(done, total)
        return
    pool = ProcessPoolExecutor(
        min(workers, total), multiprocessing.get_context("spawn"), _start, (body,)
    )
    with pool:
        futures = {pool.submit(_import_in_worker, job): job[0] for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
                done += 1
                if progress:
                    progress(done, total)
        except BrokenProcessPool as error:
            raise InputError(
                f"a process was killed after {done} of {total} files, probably for want of "
                "memory; import with fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_worker_body: list[Body] = []


def _start(body: Body) -> None:
    """Keep the body in a worker process."""
    _worker_body.append(body)


def _import_in_worker(job: tuple[Path, str, Path, float]) -> Entry | str:
    return _import_one(job, _worker_body[0])


def _import_one(job: tuple[Path, str, Path, float], body: Body) -> Entry | str:
    """Write one clip and return its entry; or the reason why it cannot be read."""
    path, name, folder, fps = job
    try:
        motion, error = read_motion(path, body, caption_of(path))
    except (InputError, MotionError) as reason:
        return str(reason).removeprefix(f"{path}").lstrip(": ")
    except Exception as reason:
        # One unforeseen file among thousands must not lose the others; it is named.
        return f"unexpected {type(reason).__name__}: {reason}"
    if motion.fps > fps:
        motion = motion.resample(fps)
    motion.save(folder / f"{name}.npz")
    return entry_of(name, motion, path.name, round(error, 6))
