"""BVH files: the skeleton and the numbers of a file, and where its joints are in every frame.

Any skeleton is read: position channels on any joint, rotation channels in any order, End Sites.
A joint's position channels replace its OFFSET, as every exporter that writes them means it.
"""

import re
import warnings
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.formats.guard import read_text
from motionloop.samples import InputError


@dataclass(frozen=True)
class Bvh:
    """A BVH file: J joints (End Sites are joints without channels), C channels, T frames.

    Attributes:
        names: (J) joint names; an End Site is called "<parent>_end".
        parents: (J) index of the parent, -1 for the root; parents come first.
        offsets: (J, 3) OFFSET from the parent, in the file's unit and axes.
        channels: (J) names of every joint's channels, in order, such as "Zrotation".
        frames: (T, C) the numbers of the MOTION section; rotations in degrees.
        frame_time: s.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    frames: np.ndarray
    frame_time: float

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def fps(self) -> float:
        """Frames a second, Hz; rounded where the file's few digits stand for a whole number."""
        whole = max(round(1.0 / self.frame_time), 1)
        last_digit = 10.0 ** float(Decimal(repr(self.frame_time)).as_tuple().exponent)
        if abs(self.frame_time - 1.0 / whole) <= 1.01 * last_digit:
            return float(whole)
        return 1.0 / self.frame_time

    def rest(self) -> np.ndarray:
        """Joint positions (J, 3) with all rotations zero and the root at the origin."""
        rest = np.zeros((len(self.names), 3))
        for j, parent in enumerate(self.parents):
            if parent >= 0:
                rest[j] = rest[parent] + self.offsets[j]
        return rest


def read_bvh(path: Path) -> Bvh:
    """Read a BVH file.

    Raises:
        InputError: the file is missing, cut off, not BVH, has no frames, holds another number
            of frames than it says, a Frame Time that is not positive, or NaN.
    """
    path = Path(path)
    text = read_text(path)
    parts = re.split(r"^[ \t]*MOTION[ \t]*\r?$", text, maxsplit=1, flags=re.MULTILINE | re.I)
    if "HIERARCHY" not in parts[0][:4096].upper():
        raise InputError(f"{path} is not a BVH file: it does not begin with HIERARCHY")
    if len(parts) == 1:
        raise InputError(f"{path} has no MOTION section; it was cut off or never held a motion")
    names, parents, offsets, channels = _read_hierarchy(parts[0], path)
    frames, frame_time = _read_motion(parts[1], sum(map(len, channels)), path)
    return Bvh(names, parents, offsets, channels, frames, frame_time)


def _read_hierarchy(text: str, path: Path):
    """Names, parents, offsets and channels of the HIERARCHY section."""
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    open_joints: list[int] = []
    opened, line = -1, ""
    try:
        for line in re.sub(r"([{}])", r"\n\1\n", text).splitlines():
            words = line.split()
            key = words[0].upper() if words else ""
            if key in ("ROOT", "JOINT", "END"):
                if key == "ROOT" and names:
                    raise InputError(f"{path} holds more than one skeleton; keep one ROOT")
                title = " ".join(words[1:])
                parent = open_joints[-1] if open_joints else -1
                names.append(f"{names[parent]}_end" if key == "END" else title)
                parents.append(parent)
                offsets.append([0.0, 0.0, 0.0])
                channels.append(())
                opened = len(names) - 1
            elif key == "OFFSET":
                x, y, z = (float(w) for w in words[1:4])
                if not np.isfinite([x, y, z]).all():
                    raise ValueError
                offsets[open_joints[-1]] = [x, y, z]
            elif key == "CHANNELS":
                channels[open_joints[-1]] = tuple(w.capitalize() for w in words[2:])
                if len(words) - 2 != int(words[1]):
                    raise InputError(f"{path}: joint {names[-1]} does not list {words[1]} channels")
            elif key == "{":
                open_joints.append(opened)
            elif key == "}":
                open_joints.pop()
    except (IndexError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: the HIERARCHY cannot be read at {line.strip()!r}") from error
    if not names or open_joints:
        raise InputError(f"{path}: the HIERARCHY ends in the middle; the file was cut off")
    known = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
    for name, joint in zip(names, channels):
        if set(joint) - known:
            raise InputError(
                f"{path}: joint {name} has channels {joint}; known are {sorted(known)}"
            )
    return tuple(names), tuple(parents), np.array(offsets), tuple(channels)


def _read_motion(text: str, channel_count: int, path: Path) -> tuple[np.ndarray, float]:
    """The numbers (T, C) and the frame time of the MOTION section."""
    header = re.match(r"\s*Frames\s*:?\s*(\S+)\s+Frame\s+Time\s*:?\s*(\S+)", text, re.IGNORECASE)
    if header is None:
        raise InputError(
            f"{path}: MOTION does not begin with Frames and Frame Time; was it cut off?"
        )
    try:
        stated, frame_time = int(header[1]), float(header[2])
    except ValueError:
        raise InputError(
            f"{path}: Frames is {header[1]}, Frame Time {header[2]}; not numbers"
        ) from None
    if not (np.isfinite(frame_time) and frame_time > 0):
        raise InputError(
            f"{path}: Frame Time is {header[2]}; it must be a positive number of seconds"
        )
    if stated < 1:
        raise InputError(f"{path} has {stated} frames")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            numbers = np.fromstring(text[header.end() :], sep=" ")
        except (DeprecationWarning, ValueError):
            raise InputError(f"{path}: {_not_a_number(text[header.end() :])}") from None
    held = len(numbers) / max(channel_count, 1)
    if held < stated:
        raise InputError(
            f"{path} says {stated} frames of {channel_count} channels but holds {held:.2f}; "
            "it was cut off"
        )
    if held > stated:
        raise InputError(
            f"{path} says {stated} frames but holds {held:.2f}; correct its Frames line"
        )
    if not np.isfinite(numbers).all():
        bad = int(np.flatnonzero(~np.isfinite(numbers))[0] // channel_count)
        raise InputError(f"{path} has NaN or infinity, first in frame {bad}; repair the clip")
    return numbers.reshape(stated, channel_count), frame_time


def _not_a_number(text: str) -> str:
    """What is wrong with numbers that cannot be read."""
    words = text.split()
    for place, word in enumerate(words):
        try:
            float(word)
        except ValueError:
            if place == len(words) - 1:
                return f"MOTION ends in the middle of a number, {word!r}; the file was cut off"
            return f"{word[:40]!r} in MOTION is not a number"
    return "MOTION holds something that is not a number"


def joints_in_world(bvh: Bvh) -> tuple[np.ndarray, np.ndarray]:
    """Positions (T, J, 3) and orientations (T, J, 3, 3) of all joints, in the file's axes.

    A child is placed by its parent's orientation; rotation channels turn one after another
    about the joint's own turning axes, in the order in which the file lists them.
    """
    frames, count = len(bvh), len(bvh.names)
    local = np.broadcast_to(np.eye(3), (count, frames, 3, 3)).copy()
    offsets = np.broadcast_to(bvh.offsets[:, None], (count, frames, 3)).copy()
    columns: dict[str, list[tuple[int, list[int]]]] = {}
    start = 0
    for j, channels in enumerate(bvh.channels):
        for k, channel in enumerate(channels):
            if channel.endswith("position"):
                offsets[j, :, "XYZ".index(channel[0])] = bvh.frames[:, start + k]
        turns = [start + k for k, c in enumerate(channels) if c.endswith("rotation")]
        if turns:
            order = "".join(channels[c - start][0] for c in turns)
            columns.setdefault(order, []).append((j, turns))
        start += len(channels)
    for order, joints in columns.items():
        angles = bvh.frames[:, [turns for _, turns in joints]].swapaxes(0, 1)  # (G, T, n)
        turned = Rotation.from_euler(order, angles.reshape(-1, len(order)), degrees=True)
        local[[j for j, _ in joints]] = turned.as_matrix().reshape(len(joints), frames, 3, 3)
    positions, rotations = offsets, local
    for j, parent in enumerate(bvh.parents):
        if parent >= 0:
            positions[j] = positions[parent] + (rotations[parent] @ offsets[j][..., None])[..., 0]
            rotations[j] = rotations[parent] @ local[j]
    return positions.swapaxes(0, 1), rotations.swapaxes(0, 1)
