"""Built folders of HumanML3D and KIT-ML: reading what they hold, and writing one.

Guo et al. (2022): `new_joints/NAME.npy` (or, without it, `new_joint_vecs/NAME.npy`),
`texts/NAME.txt` with a line `caption#words with tags#start#end` for each caption (s; 0 and 0
are the whole clip), and lists of names, train.txt, val.txt and test.txt.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.motion.formats.guard import read_text
from motionloop.motion.formats.humanml3d import features, joints_of_motion, uniform
from motionloop.motion.formats.t2m_layouts import HUMANML3D
from motionloop.samples import InputError, write_whole
from physics.motion import SmplMotion

# The lists and what they are to motionloop; the second of two that hold a name does not count.
_PARTS = {"train": "train", "test": "reference", "val": "encoder"}
_FOLDERS = ("new_joints", "new_joint_vecs")


@dataclass(frozen=True)
class Caption:
    """What a stretch of a clip shows.

    Attributes:
        text: a sentence.
        start_s: where the stretch begins, s.
        end_s: where it ends, s; 0 is the clip's end.
    """

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Described:
    """A motion file with what the folder says of it.

    Attributes:
        path: the .npy file.
        captions: one at least.
        split: "train", "reference" or "encoder"; "" where the folder has no lists.
    """

    path: Path
    captions: tuple[Caption, ...]
    split: str


def is_t2m_folder(folder: Path) -> bool:
    """Whether a folder is a built HumanML3D or KIT-ML."""
    return (folder / "texts").is_dir() and any((folder / name).is_dir() for name in _FOLDERS)


def read_t2m_folder(folder: Path) -> tuple[list[Described], list[tuple[Path, str]]]:
    """The described motions of a folder, and what was left out with the reason.

    Left out are hidden files, motions without a text file or with an empty one, motions in none
    of the lists, and texts and names of lists without a motion.

    Raises:
        InputError: there is no motion file.
    """
    inner = next(folder / name for name in _FOLDERS if (folder / name).is_dir())
    motions = {path.stem: path for path in sorted(inner.glob("*.npy"))}
    texts = {path.stem: path for path in sorted((folder / "texts").glob("*.txt"))}
    if not motions:
        raise InputError(f"{inner} holds no .npy file")
    parts, listed = _lists(folder)
    found: list[Described] = []
    skipped: list[tuple[Path, str]] = []
    for name, path in motions.items():
        if name.startswith("."):
            skipped.append((path, "a hidden file; rename it to have it read"))
        elif name not in texts:
            skipped.append((path, f"has no text file {folder / 'texts' / name}.txt"))
        elif listed and name not in parts:
            skipped.append((path, "is in none of the lists train.txt, val.txt and test.txt"))
        else:
            try:
                found.append(Described(path, read_captions(texts[name]), parts.get(name, "")))
            except InputError as error:
                skipped.append((path, str(error)))
    for name, path in texts.items():
        if name not in motions and not name.startswith("."):
            skipped.append((path, f"describes a motion that is not there, {inner / name}.npy"))
    for name, where in listed.items():
        if name not in motions:
            skipped.append((where, f"lists a motion that is not there, {name}"))
    return found, skipped


def read_captions(path: Path) -> tuple[Caption, ...]:
    """The captions of a text file; numbers that are no numbers stand for the whole clip.

    Raises:
        InputError: the file cannot be read or holds no caption.
    """
    captions = []
    for line in read_text(path).splitlines():
        fields = line.strip().split("#")
        text = fields[0].strip()
        if text:
            start, end = (_seconds(fields[k] if len(fields) > k else "") for k in (2, 3))
            captions.append(Caption(text, start, end) if end > start else Caption(text, 0.0, 0.0))
    if not captions:
        raise InputError(f"{path} holds no caption")
    return tuple(captions)


def write_clip(
    folder: Path, name: str, motion: SmplMotion, captions: tuple[Caption, ...], rest: np.ndarray
) -> None:
    """Write a motion's joints, features and captions into a folder as HumanML3D has them.

    Words are tagged OTHER, for motionloop tags no words; readers of the tags know this one.

    Args:
        folder: of the set.
        name: of the clip.
        motion: two frames at 20 Hz or more.
        captions: what it shows; times are the motion's.
        rest: (24, 3) rest joints of the motion's body, m.
    """
    joints = joints_of_motion(motion, rest)
    rows = features(joints)
    lines = []
    for caption in captions:
        words = " ".join(f"{word}/OTHER" for word in re.findall(r"\w+", caption.text.lower()))
        text = caption.text.replace("#", " ").replace("\n", " ")
        lines.append(f"{text}#{words}#{caption.start_s}#{caption.end_s}\n")
    placed = uniform(joints, HUMANML3D)[: len(rows)]
    for inner, values in (("new_joints", placed), ("new_joint_vecs", rows)):
        path = folder / inner / f"{name}.npy"
        write_whole(path, lambda file, v=values: np.save(file, v.astype(np.float32)))
    text = "".join(lines).encode()
    write_whole(folder / "texts" / f"{name}.txt", lambda file: file.write(text))


def write_lists(folder: Path, parts: dict[str, str]) -> None:
    """Write the lists of a set: the part ("train", "reference" or "encoder") of every name."""
    for name, part in {**_PARTS, "all": ""}.items():
        names = [clip for clip, own in sorted(parts.items()) if own == part or not part]
        text = "".join(f"{clip}\n" for clip in names).encode()
        write_whole(folder / f"{name}.txt", lambda file, t=text: file.write(t))


def _seconds(word: str) -> float:
    """A time of a caption, s; "nan" and what is no number are 0."""
    try:
        value = float(word)
    except ValueError:
        return 0.0
    return value if 0.0 <= value < float("inf") else 0.0


def _lists(folder: Path) -> tuple[dict[str, str], dict[str, Path]]:
    """The part of every listed name, and the list that names it."""
    parts: dict[str, str] = {}
    listed: dict[str, Path] = {}
    for name, part in _PARTS.items():
        path = folder / f"{name}.txt"
        if path.is_file():
            for word in read_text(path).split("\n"):
                if word.strip():
                    parts.setdefault(word.strip(), part)
                    listed.setdefault(word.strip(), path)
    return parts, listed
