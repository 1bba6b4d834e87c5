"""Where the floor is: motions moved up or down until they stand on z = 0."""

from dataclasses import replace

import numpy as np

from physics.motion import SmplMotion


def level(motion: SmplMotion, lowest: np.ndarray, percentile: float = 10.0) -> SmplMotion:
    """The motion moved up or down so that its low moments touch the floor.

    Args:
        motion: T frames.
        lowest: (T,) height of the body's lowest point, m.
        percentile: of the heights, that becomes 0; low, because the lowest point rests on the
            floor in most frames and rises only in flight; not the minimum, which is noise.
    """
    floor = float(np.percentile(lowest, percentile))
    return replace(motion, transl=motion.transl - [0.0, 0.0, floor])


def follow_contacts(
    motion: SmplMotion, lowest: np.ndarray, source_lowest: np.ndarray, percentile: float = 10.0
) -> SmplMotion:
    """The motion raised and lowered such that it touches the floor when its source does.

    For bodies that also lie, roll or stand on their hands: there, limbs of other lengths than
    the source's would sink or float although the feet stand right. The correction is smooth
    (0.1 s) and is drawn from the frames near the floor only, so that flight keeps its path.

    Args:
        motion: T frames.
        lowest: (T,) height of the body's lowest point, m.
        source_lowest: (T,) height of the source's lowest point, scaled as the motion was, m.
        percentile: of the source's heights, where its floor is taken to be.
    """
    height = np.maximum(source_lowest - np.percentile(source_lowest, percentile), 0.0)
    height = height * np.clip((height - 0.02) / 0.03, 0.0, 1.0)  # below, a source's noise
    wanted = height - lowest
    weights = np.exp(-((height / 0.03) ** 2))
    times = np.arange(len(motion)) / motion.fps
    apart = (times[:, None] - times) ** 2
    near = np.exp(-apart / (2 * 0.1**2)) + 1e-4 * np.exp(-apart / (2 * 0.5**2)) + 1e-9
    rise = near @ (weights * wanted) / (near @ weights)
    return replace(motion, transl=motion.transl + rise[:, None] * [0.0, 0.0, 1.0])
