"""Does a model copy its training clips? How near samples come to them, against held-out motion.

    d(a, b) = sqrt(mean over frames and joints of |a_tj - b_tj|^2),   m

after both motions are shifted and turned so that their first frames stand over the origin and
face the same way. A sample is memorised when it is nearer to a training motion than 95 % of the
held-out real motions are: .05 is what new motion of the same kind gives, 1 is a copy machine.
"""

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.metrics.joints import heading
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions

LEVEL = 0.05  # of the held-out motions count as memorised, by definition
_AT_ONCE = 512  # motions


class Memorisation:
    """Metric[Motions] of copies; `training` is what the model was trained on."""

    def __init__(self, body: Body, training: Motions):
        self.body = body
        self._training = aligned(body.joints(training))
        self._reference: tuple[Motions, np.ndarray] | None = None

    def __call__(self, generated: Motions, reference: Motions) -> Scalars:
        """`nearest_train_mm`, the same of the reference, and `memorised`; nothing of no samples.

        `nearest_train_mm` is the mean distance of samples to their nearest training motion,
        `nearest_train_reference_mm` that of held-out real motion, `memorised` a share of samples.
        """
        if len(generated) == 0:
            return {}
        if self._reference is None or self._reference[0] is not reference:
            self._reference = reference, self._nearest(reference)
        own, real = self._nearest(generated), self._reference[1]
        return {
            "nearest_train_mm": 1000 * float(own.mean()),
            "nearest_train_reference_mm": 1000 * float(real.mean()),
            "memorised": float((own < np.quantile(real, LEVEL)).mean()),
        }

    def _nearest(self, motions: Motions) -> np.ndarray:
        return nearest(aligned(self.body.joints(motions)), self._training)


def aligned(joints: np.ndarray) -> np.ndarray:
    """Joints (N, T, J, 3) whose first frames stand over the origin and face +x."""
    angle = heading(joints[:, 0])[:, None, None]
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = (joints[..., axis] - joints[:, :1, :1, axis] for axis in (0, 1))
    return np.stack([cos * x + sin * y, cos * y - sin * x, joints[..., 2]], axis=-1)


def nearest(motions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance (N,), m, of aligned motions (N, T, J, 3) to the nearest of others (M, T', J, 3).

    Compared over the frames that both have.
    """
    frames = min(motions.shape[1], others.shape[1])
    a, b = (x[:, :frames].reshape(len(x), -1) for x in (motions, others))
    squares = (b**2).sum(1)
    found = []
    for start in range(0, len(a), _AT_ONCE):
        part = a[start : start + _AT_ONCE]
        distances = (part**2).sum(1)[:, None] + squares - 2 * part @ b.T
        # The product loses the digits of small distances: the nearest one is measured again.
        found.append(np.linalg.norm(part - b[distances.argmin(1)], axis=1))
    return np.concatenate([np.empty(0), *found]) / np.sqrt(frames * motions.shape[2])
