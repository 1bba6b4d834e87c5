"""Acclaim ASF and AMC files: a skeleton and a motion of it, as CMU's motion library has them.

    R_j = R_parent C_j E_j C_j^T,    joint_child = joint_j + R_j direction_j length_j,

with C_j the bone's axes and E_j the Euler turn of its degrees of freedom. A bone begins where its
parent ends; the joint that carries a bone's name is where the bone begins. y up. Lengths are in
the file's unit over its `length` (CMU: 0.45), in inches. AMC holds no frame rate: CMU's is 120 Hz.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.formats.guard import read_text
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import TO_Z_UP, in_world
from motionloop.motion.retarget import SourceMotion
from motionloop.samples import InputError

_FPS = 120.0
_CMU = {
    "pelvis": "root", "spine3": "thorax", "neck": "lowerneck", "head": "head",
    **{f"{side}_{joint}": side[0] + bone
       for side in ("left", "right")
       for joint, bone in (
           ("hip", "femur"), ("knee", "tibia"), ("ankle", "foot"), ("foot", "toes"),
           ("collar", "clavicle"), ("shoulder", "humerus"), ("elbow", "radius"),
           ("wrist", "wrist"))},
}  # fmt: skip


@dataclass(frozen=True)
class Asf:
    """The skeleton of an ASF file: B bones, the root first, parents before children.

    Attributes:
        names: (B) bone names.
        parents: (B) index of the parent, -1 for the root.
        steps: (B, 3) from the bone's beginning to its end in the zero pose, in the file's unit.
        axes: (B, 3, 3) the bone's own axes C.
        freedoms: (B) names of the degrees of freedom in the order of the file, such as "rx".
        degrees: whether angles are in degrees.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    steps: np.ndarray
    axes: np.ndarray
    freedoms: tuple[tuple[str, ...], ...]
    degrees: bool


def read_asf(path: Path) -> Asf:
    """Read a skeleton.

    Raises:
        InputError: the file is missing, cut off, or not ASF.
    """
    sections = _sections(read_text(path), path)
    degrees = "rad" not in " ".join(sections["units"]).lower()
    root = {words[0].lower(): words[1:] for words in map(str.split, sections["root"]) if words}
    names, steps, axes = ["root"], [np.zeros(3)], [np.eye(3)]
    freedoms: list[tuple[str, ...]] = [()]
    line = ""
    try:
        order = [word.lower() for word in root.get("order", ["TX", "TY", "TZ", "RX", "RY", "RZ"])]
        freedoms[0] = tuple(order)
        axes[0] = _axes(root.get("orientation", ["0"] * 3), root.get("axis", ["XYZ"])[0], degrees)
        bone: dict[str, list[str]] = {}
        for line in sections["bonedata"]:
            words = line.split()
            if words and words[0] == "begin":
                bone = {}
            elif words and words[0] == "end":
                names.append(bone["name"][0])
                x, y, z = (float(w) * float(bone["length"][0]) for w in bone["direction"])
                steps.append(np.array([x, y, z]))
                axis = bone.get("axis", ["0", "0", "0", "XYZ"])
                axes.append(_axes(axis[:3], axis[3], degrees))
                freedoms.append(tuple(word.lower() for word in bone.get("dof", [])))
            elif words:
                bone.setdefault(words[0].lower(), words[1:])
        above: dict[str, str] = {}
        for line in sections["hierarchy"]:
            words = line.split()
            above.update(dict.fromkeys(words[1:], words[0]))
        order_of = _parents_first(names, above)
        if not (np.isfinite(steps).all() and np.isfinite(axes).all()):
            raise ValueError("a bone has NaN or infinity")
        known = {"rx", "ry", "rz", "tx", "ty", "tz", "l"}
        if unknown := {freedom for own in freedoms for freedom in own} - known:
            raise ValueError(f"degrees of freedom {sorted(unknown)} are unknown")
    except (KeyError, IndexError, ValueError) as error:
        where = f"bone {names[-1]}" if line in sections["bonedata"] else repr(line.strip())
        raise InputError(f"{path}: the skeleton cannot be read after {where}: {error}") from error
    chosen = [names[k] for k in order_of]
    parents = (-1, *(chosen.index(above[name]) for name in chosen[1:]))
    return Asf(
        tuple(chosen),
        parents,
        np.array([steps[k] for k in order_of]),
        np.array([axes[k] for k in order_of]),
        tuple(freedoms[k] for k in order_of),
        degrees,
    )


def _sections(text: str, path: Path) -> dict[str, list[str]]:
    """The lines of every part of an ASF file, by its name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if line.startswith(":"):
            words = line[1:].split(maxsplit=1)
            name = words[0].lower() if words else ""
            found[name] = words[1:]
        elif line and name:
            found[name].append(line)
    missing = {"units", "root", "bonedata", "hierarchy"} - set(found)
    if missing:
        raise InputError(f"{path} is no whole ASF file: it has no {', '.join(sorted(missing))}")
    return found


def _axes(angles: list[str], order: str, degrees: bool) -> np.ndarray:
    """C of angles about fixed axes, the first of `order` first."""
    return Rotation.from_euler(order.lower(), np.array(angles, float), degrees).as_matrix()


def _parents_first(names: list[str], above: dict[str, str]) -> list[int]:
    """The order of bones from the root; bones that hang on nothing are left out."""
    order = [0]
    for k in order:
        order += [n for n, name in enumerate(names) if n and above.get(name) == names[k]]
        if len(order) > len(names):
            raise ValueError("a bone hangs on two")
    return order


def read_amc(path: Path, skeleton: Asf) -> dict[str, np.ndarray]:
    """The numbers (T, n) of every bone's degrees of freedom.

    Raises:
        InputError: the file is missing, cut off, names an unknown bone, or holds no frames.
    """
    wanted = {n: len(f) for n, f in zip(skeleton.names, skeleton.freedoms) if f}
    frames: list[dict[str, list[float]]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1 and words[0].isdigit():
            frames.append({})
            continue
        try:
            values = [float(word) for word in words[1:]]
            if wanted[words[0]] != len(values) or not frames:
                raise ValueError
        except (KeyError, ValueError):
            raise InputError(
                f"{path}, line {number}: {line.strip()[:60]!r} does not fit the skeleton, which "
                f"has {', '.join(wanted)}; was the file cut off, or is it another's?"
            ) from None
        frames[-1][words[0]] = values
    if not frames:
        raise InputError(f"{path} has 0 frames")
    short = next((n for n, frame in enumerate(frames) if set(frame) != set(wanted)), None)
    if short is not None:
        missing = ", ".join(sorted(set(wanted) - set(frames[short])))
        raise InputError(f"{path}: frame {short} lacks {missing}; the file was cut off")
    motion = {name: np.array([frame[name] for frame in frames]) for name in wanted}
    bad = next((name for name, v in motion.items() if not np.isfinite(v).all()), None)
    if bad:
        raise InputError(f"{path} has NaN or infinity in {bad}; repair the clip")
    return motion


def skeleton_of(amc: Path) -> Path:
    """The ASF file that an AMC file belongs to: subject.asf beside it, or the only one there.

    Raises:
        InputError: there is none, or several.
    """
    own = amc.with_name(f"{amc.stem.split('_')[0]}.asf")
    if own.is_file():
        return own
    others = [p for p in sorted(amc.parent.glob("*.[aA][sS][fF]")) if p.name[0] != "."]
    if len(others) != 1:
        found = ", ".join(p.name for p in others) or "none"
        raise InputError(f"{amc} needs its skeleton, {own.name}, in the same folder; found {found}")
    return others[0]


def source_motion(amc: Path, caption: str = "") -> SourceMotion:
    """The motion of an AMC file and its skeleton, z up, for retargeting.

    Raises:
        InputError: see `read_asf`, `read_amc`, `skeleton_of` and `match_joints`.
    """
    skeleton = read_asf(skeleton_of(amc))
    motion = read_amc(amc, skeleton)
    frames = len(next(iter(motion.values())))
    count = len(skeleton.names)
    joints, ends = np.zeros((frames, count, 3)), np.zeros((frames, count, 3))
    rest, rest_ends = np.zeros((count, 3)), np.zeros((count, 3))
    rotations = np.empty((frames, count, 3, 3))
    for j, parent in enumerate(skeleton.parents):
        freedoms = skeleton.freedoms[j]
        numbers = motion.get(skeleton.names[j], np.zeros((frames, 0)))
        turn = np.tile(np.eye(3), (frames, 1, 1))
        turned = [k for k, freedom in enumerate(freedoms) if freedom[0] == "r"]
        if turned:
            order = "".join(freedoms[k][1] for k in turned)
            angles = numbers[:, turned]
            turn = Rotation.from_euler(order, angles, skeleton.degrees).as_matrix()
            turn = turn.reshape(frames, 3, 3)
        axes = skeleton.axes[j]
        local = axes @ turn @ axes.T
        if parent < 0:
            place = np.zeros((frames, 3))
            for k, freedom in enumerate(freedoms):
                if freedom[0] == "t":
                    place[:, "xyz".index(freedom[1])] = numbers[:, k]
            joints[:, j] = place
            rotations[:, j] = local
        else:
            joints[:, j] = ends[:, parent]
            rest[j] = rest_ends[parent]
            rotations[:, j] = rotations[:, parent] @ local
        ends[:, j] = joints[:, j] + rotations[:, j] @ skeleton.steps[j]
        rest_ends[j] = rest[j] + skeleton.steps[j]
    if all(name in skeleton.names for name in _CMU.values()):
        mapping = {smpl: skeleton.names.index(bone) for smpl, bone in _CMU.items()}
    else:
        mapping = match_joints(skeleton.names, skeleton.parents, joints @ TO_Z_UP["y"].T)
    return in_world(joints, rotations, rest, mapping, "y", _FPS, caption)
