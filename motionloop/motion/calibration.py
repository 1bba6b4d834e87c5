"""How SMPL's joints sit inside a foreign skeleton's joints: constant turns, one for each joint.

A source joint with world orientation R_src(t) carries the SMPL joint with orientation
R_src(t) G. G is the SMPL orientation in the source's zero pose. Where the zero pose is a
standing body (a T, an A, arms hanging), G follows from bone directions by minimal turns from
the trunk outwards. Where it is not (many mocap exports lay every bone along its own x axis),
the turn about a bone is unknown and is taken from the motion: knees and elbows bend in their
natural plane, and a limb that does not bend is not twisted on average; feet that rest are flat.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.orientations import (
    FLEXION,
    LIMBS,
    SIDES,
    index,
    mean_rotation,
    minimal_turn,
    resting,
    unit,
)

_UNTWISTED_WEIGHT = 0.15  # sine of the bend angle at which bending outweighs the mean posture
_LARGEST_MEAN_TURN = np.deg2rad(50)  # beyond it, a joint's axes differ from its parent's


def _basis(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Columns left, up, forward of a body with the given directions; `left` is kept."""
    left = unit(left)
    up = unit(up - left * (left @ up))
    return np.stack([left, up, np.cross(left, up)], axis=1)


class Calibration:
    """Turns G for every matched joint of one clip; `turns[name]` is (3, 3).

    Args:
        rest: (24, 3) SMPL rest joints, m.
        source_rest: (K, 3) the source's zero pose.
        joints: (T, K, 3) source joints, z up.
        rotations_w: (T, K, 3, 3) source orientations.
        mapping: source index of SMPL joint names.
    """

    def __init__(self, rest, source_rest, joints, rotations_w, mapping):
        self.rest, self.source_rest, self.mapping = rest, source_rest, mapping
        self.joints, self.rotations_w = joints, rotations_w
        self.turns: dict[str, np.ndarray] = {}
        self.resting: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # of sides with known toes
        self._trunk()
        for side in SIDES:
            if f"{side}_collar" in mapping:
                self._follow(f"{side}_collar", "spine3")
            for upper, lower, end, trunk in LIMBS:
                self._limb(f"{side}_{upper}", f"{side}_{lower}", f"{side}_{end}", trunk)
            self._follow(f"{side}_wrist", f"{side}_elbow")
            self._foot(side)
        stands = self._zero_pose_stands("pelvis") and self._zero_pose_stands("spine3")
        self.zero_pose: np.ndarray | None = source_rest if stands else None

    def _bone(self, start: str, end: str) -> np.ndarray:
        """Direction of a bone in SMPL's rest pose."""
        return unit(self.rest[index(end)] - self.rest[index(start)])

    def _source_bone(self, start: str, end: str) -> np.ndarray:
        """Direction of a bone in the source's zero pose, which is in the joint's own axes."""
        return unit(self.source_rest[self.mapping[end]] - self.source_rest[self.mapping[start]])

    def world(self, name: str) -> np.ndarray:
        """SMPL orientations (T, 3, 3) that a source joint carries."""
        return self.rotations_w[:, self.mapping[name]] @ self.turns[name]

    def _trunk(self) -> None:
        """Pelvis and chest by their left-right line and the way up; neck and head follow."""
        source, smpl = self.source_rest, self.rest
        top = "neck" if "neck" in self.mapping else "head" if "head" in self.mapping else None

        def across(points, of, joint):
            return points[of(f"left_{joint}")] - points[of(f"right_{joint}")]

        def up(points, of, below):
            above = points[of(top)] if top else _middle(points, of, "shoulder")
            return above - (_middle(points, of, "hip") if below == "hip" else points[of(below)])

        at = self.mapping.__getitem__
        line = "collar" if "left_collar" in self.mapping else "shoulder"
        if np.linalg.norm(across(source, at, line)) < 0.02 * np.linalg.norm(up(source, at, "hip")):
            line = "shoulder"
        hips = _basis(across(source, at, "hip"), up(source, at, "hip"))
        smpl_hips = _basis(across(smpl, index, "hip"), up(smpl, index, "hip"))
        self.turns["pelvis"] = hips @ smpl_hips.T
        straight = across(source, at, line) @ hips[:, 0] > 0.8 * np.linalg.norm(
            across(source, at, line)
        )
        if straight or np.linalg.norm(up(source, at, "spine3")) < 1e-9:
            self.turns["spine3"] = self.turns["pelvis"]
        else:  # chest and hips have axes of their own in the zero pose
            chest = _basis(across(source, at, line), up(source, at, "spine3"))
            smpl_chest = _basis(across(smpl, index, "shoulder"), up(smpl, index, "hip"))
            self.turns["spine3"] = chest @ smpl_chest.T
        for name, before in (("neck", "spine3"), ("head", "neck" if top == "neck" else "spine3")):
            if name in self.mapping:
                self._follow(name, before)

    def _follow(self, name: str, parent: str) -> None:
        """A joint that turns with its parent in the zero pose, unless the motion denies it.

        Where the zero pose does not stand and the mean turn over the clip is so large that the
        two joints' axes must differ by construction, the mean posture becomes the neutral one.
        """
        turn = self.turns[parent]
        self.turns[name] = turn
        if self._zero_pose_stands("pelvis") and self._zero_pose_stands("spine3"):
            return
        relative = np.swapaxes(self.world(parent), 1, 2) @ self.world(name)
        mean = mean_rotation(relative)
        if np.linalg.norm(Rotation.from_matrix(mean).as_rotvec()) > _LARGEST_MEAN_TURN:
            self.turns[name] = turn @ mean.T

    def _limb(self, upper: str, lower: str, end: str, trunk: str) -> None:
        """Thigh and shank, or upper arm and forearm: along the bones, twisted as they bend."""
        bone, next_bone = self._bone(upper, lower), self._bone(lower, end)
        source_bone, source_next = self._source_bone(upper, lower), self._source_bone(lower, end)
        turn = minimal_turn(self.turns[trunk] @ bone, source_bone) @ self.turns[trunk]
        flexion = FLEXION[lower.split("_")[1]]
        flexion = unit(flexion - bone * (flexion @ bone))
        have = turn @ flexion
        bend = self._mean_bend(upper, lower, end, source_bone)
        if not self._zero_pose_stands(trunk) or bend @ have < -_UNTWISTED_WEIGHT:
            posture = self._mean_posture(upper, trunk, bone, source_bone, flexion)
            wanted = unit(bend + _UNTWISTED_WEIGHT * posture)
            angle = np.arctan2(source_bone @ np.cross(have, wanted), have @ wanted)
            turn = Rotation.from_rotvec(source_bone * angle).as_matrix() @ turn
        self.turns[upper] = turn
        self.turns[lower] = minimal_turn(turn @ next_bone, source_next) @ turn
        if not self._zero_pose_stands(trunk):
            self._untwist(upper, lower, next_bone)

    def _untwist(self, upper: str, lower: str, bone: np.ndarray) -> None:
        """Take a twist between two segments that no joint allows out of the lower one's axes."""
        parent, child = self.world(upper), self.world(lower)
        swung = minimal_turn(parent @ bone, child @ bone) @ parent
        mean = mean_rotation(np.swapaxes(child, 1, 2) @ swung)
        if np.linalg.norm(Rotation.from_matrix(mean).as_rotvec()) > _LARGEST_MEAN_TURN:
            self.turns[lower] = self.turns[lower] @ mean

    def _zero_pose_stands(self, trunk: str) -> bool:
        """Whether the zero pose holds both legs (or arms) of `trunk` as a standing body does."""
        left, up, _ = self.turns[trunk].T
        upper, lower, end, _ = next(limb for limb in LIMBS if limb[3] == trunk)
        for side, outward in (("left", left), ("right", -left)):
            bone = self._source_bone(f"{side}_{upper}", f"{side}_{lower}")
            straight = bone @ self._source_bone(f"{side}_{lower}", f"{side}_{end}") > 0.25
            if trunk == "pelvis":
                natural = bone @ up < -0.5
            else:
                natural = bone @ up < 0.65 and bone @ outward > -0.35
            if not (straight and natural):
                return False
        return True

    def _mean_bend(self, upper: str, lower: str, end: str, bone: np.ndarray) -> np.ndarray:
        """Where the limb bends to on average, in its upper joint's axes; sine of the bend."""
        j = self.mapping
        lower_w = unit(self.joints[:, j[end]] - self.joints[:, j[lower]])
        bends = np.einsum("tba,tb->ta", self.rotations_w[:, j[upper]], lower_w).mean(axis=0)
        return bends - (bends @ bone) * bone

    def _mean_posture(self, upper, trunk, bone, source_bone, flexion) -> np.ndarray:
        """Where the limb would bend to were it swung from the trunk without a twist, on average."""
        own = self.rotations_w[:, self.mapping[upper]]
        parent, bone_w = self.world(trunk), own @ source_bone
        swung = minimal_turn(parent @ bone, bone_w) @ parent @ flexion
        near = np.maximum(0.0, np.einsum("ta,ta->t", parent @ bone, bone_w) + 0.3)
        return unit(np.einsum("tba,tb,t->a", own, swung, near))

    def _foot(self, side: str) -> None:
        """A foot is flat where it rests, and points where its toes point."""
        ankle, toes, knee = (f"{side}_{joint}" for joint in ("ankle", "foot", "knee"))
        j = self.mapping
        if (
            toes not in j
            or np.linalg.norm(self.source_rest[j[toes]] - self.source_rest[j[ankle]]) < 1e-9
        ):
            self._follow(ankle, knee)
            return
        heading = unit(self._bone(ankle, toes) * [1, 0, 1])
        shank = np.linalg.norm(self.source_rest[j[ankle]] - self.source_rest[j[knee]])
        points = self.joints[:, [j[ankle], j[toes]]]
        weights, flat = self.resting[side] = resting(points, float(shank), heading)
        _, up, forward = self.turns["pelvis"].T
        source_bone = self._source_bone(ankle, toes)
        if self._zero_pose_stands("pelvis") and source_bone @ forward > 0.4:
            ahead = unit(source_bone - up * (source_bone @ up))
            pelvis = self.turns["pelvis"]
            self.turns[ankle] = minimal_turn(pelvis @ heading, ahead) @ pelvis
            self._follow(toes, ankle)
            return
        self.turns[ankle] = self._mean_turn(ankle, flat, weights)
        self.turns[toes] = self._mean_turn(toes, self.world(ankle), weights)

    def _mean_turn(self, name: str, wanted: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The G (3, 3) with which a source joint carries orientations (T, 3, 3), on average."""
        own = np.swapaxes(self.rotations_w[:, self.mapping[name]], 1, 2)
        return mean_rotation(own @ wanted, weights)


def _middle(points: np.ndarray, of, joint: str) -> np.ndarray:
    """The point between the left and the right joint."""
    return 0.5 * (points[of(f"left_{joint}")] + points[of(f"right_{joint}")])
