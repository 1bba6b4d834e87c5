"""JointView: the joints that scaled features stand for, as the loss sees them.

Rotation features say little about where a hand is: errors along a chain of bones add up, or
cancel, as in fitted real motion. The loss therefore also looks at joint positions p along the
axes of the heading, and at world velocities v along the previous frame's:

    p = [0, 0, height] + sum over bones of R o,      R = [c_1, c_2, c_1 x c_2]
    v(t) = velocity(t-1) + fps (Rz(yaw rate(t-1) / fps) p(t) - p(t-1)),      v(0) = 0

c_1, c_2 are a joint's 6D feature, which is not made orthonormal here, and o the bone in the rest
pose. Because the features' rotations are those of the heading, p is linear in R.
"""

import numpy as np
import torch
from torch import Tensor

from motionloop.motion.features import HEIGHT, ROTATIONS, VELOCITY, YAW_RATE, FeatureScaling
from physics.skeleton import JOINT_COUNT, PARENTS

POSITION_UNIT = 0.2  # m, about the standard deviation of a joint's place in everyday motion
VELOCITY_UNIT = 1.0  # m/s, likewise


class JointView:
    """Maps scaled features (B, T, 152) to joint positions and velocities (B, T, 144)."""

    def __init__(self, scaling: FeatureScaling, rest: np.ndarray, fps: float, device: torch.device):
        """Take the scaling of the features, rest joints (24, 3) m, and the frame rate, Hz."""
        self._fps = fps
        self._mean = torch.tensor(scaling.mean, dtype=torch.float32, device=device)
        self._std = torch.tensor(scaling.std, dtype=torch.float32, device=device)
        self._bones = torch.tensor(_bone_map(rest), dtype=torch.float32, device=device)

    def __call__(self, x: Tensor) -> Tensor:
        """Positions in units of 0.2 m, then velocities in m/s, of 24 joints."""
        features = torch.addcmul(self._mean, x, self._std)
        first, second = features[..., ROTATIONS].unflatten(-1, (JOINT_COUNT, 2, 3)).unbind(-2)
        columns = torch.cat([first, second, torch.linalg.cross(first, second)], dim=-1)
        place = (columns.flatten(2) @ self._bones).unflatten(-1, (3, JOINT_COUNT))
        across, ahead, up = place.unbind(-2)  # (B, T, 24)
        up = up + features[..., HEIGHT]

        turn = features[:, :-1, YAW_RATE] / self._fps
        velocity = features[:, :-1, VELOCITY]
        cos, sin = turn.cos(), turn.sin()
        step_x = cos * across[:, 1:] - sin * ahead[:, 1:] - across[:, :-1]
        step_y = sin * across[:, 1:] + cos * ahead[:, 1:] - ahead[:, :-1]
        speed = torch.cat([
            self._fps * step_x + velocity[..., :1],
            self._fps * step_y + velocity[..., 1:],
            self._fps * (up[:, 1:] - up[:, :-1]),
        ], dim=-1)  # fmt: skip
        speed = torch.nn.functional.pad(speed, (0, 0, 1, 0))
        position = torch.cat([across, ahead, up], dim=-1) / POSITION_UNIT
        return torch.cat([position, speed / VELOCITY_UNIT], dim=-1)


def _bone_map(rest: np.ndarray) -> np.ndarray:
    """The matrix (24 * 9, 3 * 24) from all columns of R to the x, y and z of all joints."""
    matrix = np.zeros((JOINT_COUNT, 3, 3, 3, JOINT_COUNT))  # joint, column, axis; axis, joint
    for j in range(1, JOINT_COUNT):
        parent = PARENTS[j]
        matrix[..., j] = matrix[..., parent]
        for axis in range(3):
            matrix[parent, :, axis, axis, j] += rest[j] - rest[parent]
    return matrix.reshape(JOINT_COUNT * 9, 3 * JOINT_COUNT)
