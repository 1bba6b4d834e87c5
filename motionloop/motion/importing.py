"""Importing: folders of motion files of any known format become a data set of ours.

Files are read in parallel processes. What cannot be read is reported with its reason and the
rest goes on. The data set appears under its name only when it is complete; until then it lies
beside it in a hidden folder, which the same command goes on with (`unfinished`).
"""

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.dataset import Entry, entry_of
from motionloop.motion.finding import find_motions
from motionloop.motion.formats import read_motion
from motionloop.motion.formats.t2m_folder import is_t2m_folder, read_t2m_folder
from motionloop.motion.unfinished import Unfinished
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
        resumed: how many entries an interrupted import had left.
    """

    out: Path
    read: list[Entry]
    skipped: list[tuple[Path, str]]
    resumed: int = 0

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
        if self.resumed:
            line += f", {self.resumed} of them before an interruption"
        if self.mean_fit_error_m > 0:
            line += f", mean joint fitting error {100 * self.mean_fit_error_m:.2f} cm"
        return f"{line}; skipped {len(self.skipped)}"


@dataclass(frozen=True)
class _Job:
    """One file to read.

    Attributes:
        path: the file.
        name: the clip's.
        fps: clips at a higher rate are resampled to this one, Hz.
        caption: what the clip shows.
        more: what else its entry says.
    """

    path: Path
    name: str
    fps: float
    caption: str
    more: dict[str, Any] = field(default_factory=dict)


def import_motion(
    sources: list[Path],
    out: Path,
    body: Body,
    workers: int = 1,
    progress: Progress | None = None,
    fps: float = 30.0,
) -> ImportReport:
    """Make a data set from motion files and folders of them.

    Built folders of HumanML3D and KIT-ML give their captions and parts too. After an
    interruption the same call goes on with what it had read; files that have changed since are
    read again.

    Args:
        sources: files, and folders that are searched through all levels.
        out: the new folder.
        body: the body that the motions are fitted to and levelled with.
        workers: processes.
        progress: called as `progress(done, total)` after every file.
        fps: clips at a higher rate are resampled to this one, Hz; lower rates are kept.

    Raises:
        InputError: `out` holds something, a source is missing, or no file could be read.
        OSError: the disk is full; what was read before stays for the next time.
    """
    jobs, skipped = _jobs([Path(source) for source in sources], fps)
    with Unfinished.open(Path(out), f"{body.sha256} {fps}") as folder:
        read = {job.name: folder.entry(job.path, job.name) for job in jobs}
        read = {name: entry for name, entry in read.items() if entry is not None}
        resumed = len(read)
        left = [job for job in jobs if job.name not in read]
        if progress and resumed:
            progress(resumed, len(jobs))
        for done, (job, result) in enumerate(_results(left, folder.path, body, workers), 1):
            if isinstance(result, str):
                skipped.append((job.path, result))
            else:
                folder.keep(job.path, result)
                read[job.name] = result
            if progress:
                progress(resumed + done, len(jobs))
        if not read:
            first = f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
            raise InputError(f"none of {len(jobs)} files could be read{first}")
        more = {job.name: {"caption": job.caption, **job.more} for job in jobs if job.more}
        entries = [read[name] | more.get(name, {}) for name in sorted(read)]
        folder.finish(entries)
    return ImportReport(Path(out), entries, sorted(skipped), resumed)


def _jobs(sources: list[Path], fps: float) -> tuple[list[_Job], list[tuple[Path, str]]]:
    """What is to be read, and what is left out with the reason."""
    plain = [source for source in sources if not is_t2m_folder(source)]
    found, skipped = find_motions(plain) if plain else ([], [])
    described: dict[Path, tuple[str, dict[str, Any]]] = {}
    for source in sources:
        if source in plain:
            continue
        clips, left_out = read_t2m_folder(source)
        skipped += left_out
        for clip in clips:
            found.append((clip.path, clip.path.parent))
            more: dict[str, Any] = {"captions": [asdict(caption) for caption in clip.captions]}
            if clip.split:
                more["split"] = clip.split
            described[clip.path] = (clip.captions[0].text, more)
    names = _named(found)
    jobs = [
        _Job(path, name, fps, *described.get(path, (caption_of(path), {})))
        for path, name in names.items()
    ]
    return jobs, skipped


def _named(files: list[tuple[Path, Path]]) -> dict[Path, str]:
    """A name for every file: its stem, or its way from the source where stems are alike.

    Names that differ in capitals only count as alike: some file systems keep one of them.
    """
    stems = Counter(path.stem.casefold() for path, _ in files)
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path, source in files:
        name = path.stem
        if stems[name.casefold()] > 1 or name.casefold() in taken:
            name = "_".join(path.relative_to(source).with_suffix("").parts)
        unique, number = name, 2
        while unique.casefold() in taken:
            unique, number = f"{name}_{number}", number + 1
        taken.add(unique.casefold())
        names[path] = unique
    return names


def _results(
    jobs: list[_Job], folder: Path, body: Body, workers: int
) -> Iterable[tuple[_Job, Entry | str]]:
    """The entry of every file, or why it was skipped; in any order."""
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _import_one(job, folder, body)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), multiprocessing.get_context("spawn"), _start, (folder, body)
    )
    done = 0
    with pool:
        futures = {pool.submit(_import_in_worker, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
                done += 1
        except BrokenProcessPool as error:
            raise InputError(
                f"a process was killed after {done} of {len(jobs)} files, probably for want of "
                "memory; the same command with fewer --workers goes on from here"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_at_work: list[tuple[Path, Body]] = []


def _start(folder: Path, body: Body) -> None:
    """Keep the folder and the body in a worker process, which ends when its parent is killed."""
    _at_work.append((folder, body))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _import_in_worker(job: _Job) -> Entry | str:
    return _import_one(job, *_at_work[0])


def _import_one(job: _Job, folder: Path, body: Body) -> Entry | str:
    """Write one clip and return its entry; or the reason why it cannot be read."""
    try:
        motion, error = read_motion(job.path, body, job.caption)
        if motion.fps > job.fps:
            motion = motion.resample(job.fps)
    except (InputError, MotionError) as reason:
        return str(reason).removeprefix(f"{job.path}").lstrip(": ")
    except Exception as reason:
        # One unforeseen file among thousands must not lose the others; it is named.
        return f"unexpected {type(reason).__name__}: {reason}"
    motion.save(folder / f"{job.name}.npz")  # a full disk ends the import, not this file
    return entry_of(job.name, motion, job.path.name, round(error, 6))
