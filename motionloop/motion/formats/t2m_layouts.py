"""The skeletons of HumanML3D and KIT-ML, and what their features are measured with."""

from dataclasses import dataclass

import numpy as np

from motionloop.samples import InputError
from physics.skeleton import JOINT_NAMES


@dataclass(frozen=True)
class Layout:
    """A skeleton of the T2M family, and what its features are measured with.

    Attributes:
        name: of the data set.
        joints: (J) SMPL's name of every joint, or "" where SMPL has none.
        chains: joints of the kinematic chains, from the trunk outwards.
        directions: (J, 3) unit direction of the bone that ends in a joint, in the zero pose.
        lengths: (J,) bone lengths of the uniform skeleton, in the file's unit; None where
            the data set's own lengths are to be kept.
        shank: joints of the two bones whose lengths scale the path of the root.
        contacts: the four joints of the foot contacts: left twice, right twice.
        contact_step: largest squared step of a resting foot joint, unit squared.
        fps: Hz.
        unit_m: metres in the file's unit.
    """

    name: str
    joints: tuple[str, ...]
    chains: tuple[tuple[int, ...], ...]
    directions: np.ndarray
    lengths: np.ndarray | None
    shank: tuple[int, int]
    contacts: tuple[int, int, int, int]
    contact_step: float
    fps: float
    unit_m: float

    @property
    def parents(self) -> tuple[int, ...]:
        """Parent of every joint, -1 for the root."""
        parents = [-1] * len(self.joints)
        for chain in self.chains:
            for above, joint in zip(chain, chain[1:]):
                parents[joint] = above
        return tuple(parents)

    @property
    def width(self) -> int:
        """Numbers in a row of features."""
        return 12 * len(self.joints) - 1


def _axes(letters: str) -> np.ndarray:
    """Unit directions from letters: x and X are plus and minus x; a dot is no direction."""
    table = {c: np.eye(3)[k] for k, c in enumerate("xyz")}
    table |= {c.upper(): -v for c, v in table.items()} | {".": np.zeros(3)}
    return np.array([table[c] for c in letters])


# Bone lengths of HumanML3D's uniform skeleton, m, read off its published joints (MIT licence).
_HUMANML3D_LENGTHS = (
    0.0, 0.103074, 0.109883, 0.131568, 0.393623, 0.390188, 0.143190, 0.432433, 0.425643, 0.057365,
    0.143382, 0.149419, 0.219360, 0.137487, 0.143383, 0.103039, 0.131614, 0.122984, 0.256840,
    0.263092, 0.266012, 0.269876,
)  # fmt: skip
HUMANML3D = Layout(
    name="HumanML3D",
    joints=JOINT_NAMES[:22],
    chains=(
        (0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15),
        (9, 14, 17, 19, 21), (9, 13, 16, 18, 20),
    ),
    directions=_axes(".xXyYYyYYyzzyxXzYYYYYY"),
    lengths=np.array(_HUMANML3D_LENGTHS),
    shank=(5, 8),
    contacts=(7, 10, 8, 11),
    contact_step=0.002,
    fps=20.0,
    unit_m=1.0,
)  # fmt: skip
KIT_ML = Layout(
    name="KIT-ML",
    joints=(
        "pelvis", "", "", "neck", "head",
        "right_shoulder", "right_elbow", "right_wrist",
        "left_shoulder", "left_elbow", "left_wrist",
        "right_hip", "right_knee", "right_ankle", "", "right_foot",
        "left_hip", "left_knee", "left_ankle", "", "left_foot",
    ),
    chains=(
        (0, 11, 12, 13, 14, 15), (0, 16, 17, 18, 19, 20), (0, 1, 2, 3, 4), (3, 5, 6, 7),
        (3, 8, 9, 10),
    ),
    directions=_axes(".yyyyxYYXYYxYYzzXYYzz"),
    lengths=None,
    shank=(17, 18),
    contacts=(19, 20, 14, 15),
    contact_step=0.05,
    fps=12.5,
    unit_m=0.001,
)  # fmt: skip
LAYOUTS = {22: HUMANML3D, 21: KIT_ML}


def layout_of(joints: int) -> Layout:
    """The layout with this number of joints.

    Raises:
        InputError: there is none.
    """
    if joints not in LAYOUTS:
        known = " or ".join(f"{n} ({layout.name})" for n, layout in LAYOUTS.items())
        raise InputError(f"a skeleton of {joints} joints is unknown; known are {known}")
    return LAYOUTS[joints]
