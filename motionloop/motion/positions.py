"""Orientations of SMPL's joints from joint positions alone, for skeletons that carry no rotations.

Pelvis and chest turn with their left-right line and the way up. Thigh, shank, upper arm and
forearm point along their bones; what turns them about the bone is the plane in which knee or
elbow bends. A straight limb has no such plane: there the last and the next bend decide, and
where there is none, the limb is not twisted. With b the way the lower bone leaves the line of
the upper one (its length is the sine of the bend) and f where it would leave an untwisted limb,

    way to bend = smooth(|b| b + 0.02 f),    smooth over .07 s in the trunk's axes.

Neck, collars, feet and toes follow their bones by minimal turns from what carries them.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from motionloop.motion.orientations import FLEXION, LIMBS, SIDES, index, minimal_turn, resting, unit
from motionloop.samples import InputError

_SMOOTH_S = 0.07
_FILL_S = 1.0  # over gaps without any bend
_UNTWISTED = 0.02


class Positions:
    """Orientations (T, 3, 3) of every matched joint; what `Calibration` is for rotations.

    Args:
        rest: (24, 3) SMPL rest joints, m.
        joints: (T, K, 3) source joints, z up.
        mapping: source index of SMPL joint names.
        fps: Hz.

    Raises:
        InputError: hips, shoulders or the trunk have no extent in some frame.
    """

    def __init__(self, rest: np.ndarray, joints: np.ndarray, mapping: dict[str, int], fps: float):
        self.rest, self.joints, self.mapping = rest, joints, mapping
        self._fps = fps
        self.turns: dict[str, np.ndarray] = {}
        self.resting: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.zero_pose: np.ndarray | None = None
        self._trunk()
        for side in SIDES:
            for upper, lower, end, trunk in LIMBS:
                self._limb(f"{side}_{upper}", f"{side}_{lower}", f"{side}_{end}", trunk)
            self.turns[f"{side}_wrist"] = self.turns[f"{side}_elbow"]
            self._foot(side)

    def world(self, name: str) -> np.ndarray:
        """Orientations (T, 3, 3) of a joint in `turns`."""
        return self.turns[name]

    def _at(self, name: str) -> np.ndarray:
        return self.joints[:, self.mapping[name]]

    def _bone(self, start: str, end: str) -> np.ndarray:
        return unit(self.rest[index(end)] - self.rest[index(start)])

    def _trunk(self) -> None:
        """Pelvis by hips and lower spine, chest by shoulders and neck; head along the neck."""

        def middle(joint: str) -> tuple[np.ndarray, np.ndarray]:
            names = [f"{side}_{joint}" for side in SIDES]
            return (
                0.5 * (self._at(names[0]) + self._at(names[1])),
                0.5 * (self.rest[index(names[0])] + self.rest[index(names[1])]),
            )

        hips, rest_hips = middle("hip")
        shoulders, rest_shoulders = middle("shoulder")
        lower = next((n for n in ("spine1", "spine2", "spine3") if n in self.mapping), None)
        if lower and np.linalg.norm(self._at(lower) - hips, axis=1).min() > 1e-6:
            above, rest_above = self._at(lower), self.rest[index(lower)]
        else:
            above, rest_above = shoulders, rest_shoulders
        turns = {
            "pelvis": ("hip", above - hips, rest_above - rest_hips),
            "spine3": ("shoulder", shoulders - hips, rest_shoulders - rest_hips),
        }
        for name, (line, up, rest_up) in turns.items():
            across = self._at(f"left_{line}") - self._at(f"right_{line}")
            size = np.linalg.norm(np.cross(across, up), axis=1)
            if not size.min() > 1e-9:
                frame = int(np.argmin(size))
                raise InputError(f"{line}s and trunk have no extent in frame {frame}; cut it out")
            rest_across = self.rest[index(f"left_{line}")] - self.rest[index(f"right_{line}")]
            self.turns[name] = _basis(across, up) @ _basis(rest_across[None], rest_up[None])[0].T
        chest = self.turns["spine3"]
        if "neck" in self.mapping and "head" in self.mapping:
            bone = unit(self._at("head") - self._at("neck"))
            self.turns["neck"] = minimal_turn(chest @ self._bone("neck", "head"), bone) @ chest
            self.turns["head"] = self.turns["neck"]
        for side in SIDES:
            collar, shoulder = f"{side}_collar", f"{side}_shoulder"
            if collar in self.mapping:
                bone = unit(self._at(shoulder) - self._at(collar))
                self.turns[collar] = (
                    minimal_turn(chest @ self._bone(collar, shoulder), bone) @ chest
                )

    def _limb(self, upper: str, lower: str, end: str, trunk: str) -> None:
        """Upper and lower segment along their bones, turned as the limb bends."""
        parent = self.turns[trunk]
        bone, next_bone = self._bone(upper, lower), self._bone(lower, end)
        along = unit(self._at(lower) - self._at(upper))
        onward = unit(self._at(end) - self._at(lower))
        flexion = FLEXION[lower.split("_")[1]]
        flexion = unit(flexion - bone * (flexion @ bone))
        swung = minimal_turn(parent @ bone, along) @ parent
        bend = onward - along * np.sum(onward * along, axis=1, keepdims=True)
        # An arm that points across the body has no untwisted pose; it must not decide there.
        near = np.maximum(np.sum((parent @ bone) * along, axis=1) + 0.3, 0.0)[:, None]
        strength = np.linalg.norm(bend, axis=1, keepdims=True)
        wanted = strength * bend + _UNTWISTED * near * (swung @ flexion)
        back = np.swapaxes(parent, 1, 2)
        seen = (back @ wanted[..., None])[..., 0]
        seen = self._smooth(seen, _SMOOTH_S) + 1e-3 * self._smooth(seen, _FILL_S)
        wanted = (parent @ seen[..., None])[..., 0]
        wanted = wanted - along * np.sum(wanted * along, axis=1, keepdims=True)
        have = swung @ flexion
        turned = minimal_turn(have, unit(wanted)) if len(wanted) else swung
        self.turns[upper] = turned @ swung
        carried = self.turns[upper] @ next_bone
        self.turns[lower] = minimal_turn(carried, onward) @ self.turns[upper]

    def _smooth(self, values: np.ndarray, seconds: float) -> np.ndarray:
        return gaussian_filter1d(values, seconds * self._fps, axis=0, mode="nearest")

    def _foot(self, side: str) -> None:
        """The foot along its bone; toes with the foot."""
        ankle, toes, knee = (f"{side}_{joint}" for joint in ("ankle", "foot", "knee"))
        shank = self.turns[knee]
        if toes not in self.mapping:
            self.turns[ankle] = shank
            return
        bone = unit(self._at(toes) - self._at(ankle))
        self.turns[ankle] = minimal_turn(shank @ self._bone(ankle, toes), bone) @ shank
        self.turns[toes] = self.turns[ankle]
        heading = unit(self._bone(ankle, toes) * [1, 0, 1])
        points = np.stack([self._at(ankle), self._at(toes)], axis=1)
        length = np.linalg.norm(self._at(knee) - self._at(ankle), axis=1).mean()
        self.resting[side] = resting(points, float(length), heading)


def _basis(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward (T, 3, 3) of bodies with the given directions (T, 3)."""
    left = unit(left)
    up = unit(up - left * np.sum(left * up, axis=1, keepdims=True))
    return np.stack([left, up, np.cross(left, up)], axis=2)
