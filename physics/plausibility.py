"""Is a motion physically plausible? PhysDiff's metrics, jerk and root travel, on plain arrays.

    penetrate = mean_t d_t [d_t > tolerance],   d_t = depth of the lowest point below the floor
    float     = mean_t h_t [h_t > tolerance],   h_t = height of the lowest point above the floor
    skate     = mean over frame pairs of the mean horizontal displacement of the feet that
                touch the floor in both frames (0 for a pair without any)
    phys_err  = penetrate + float + skate

Yuan et al., PhysDiff: Physics-Guided Human Motion Diffusion Model (ICCV 2023), section 4. All in
millimetres, averaged over all frames, zeros included. A value beyond the tolerance (5 mm, for
the geometry's inexactness) counts whole, one within it counts as zero. Legitimate flight counts as
float, so real motion is not at zero: print its row next to a model's.
"""

import numpy as np

TOLERANCE = 0.005  # m


def penetrate_mm(lowest: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Mean depth below the floor, mm, from the height of the lowest point (T,) in m."""
    depth = -np.asarray(lowest, dtype=float)
    return float(np.where(depth > tolerance, depth, 0.0).mean() * 1000.0)


def float_mm(lowest: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Mean height above the floor, mm, from the height of the lowest point (T,) in m."""
    height = np.asarray(lowest, dtype=float)
    return float(np.where(height > tolerance, height, 0.0).mean() * 1000.0)


def skate_mm(feet: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Mean horizontal displacement of feet that touch the floor in two adjacent frames, mm.

    Args:
        feet: (T, F, 3) points of the feet, m, z up; a point touches when z <= tolerance.
        tolerance: m.
    """
    feet = np.asarray(feet, dtype=float)
    if len(feet) < 2:
        return 0.0
    touching = feet[..., 2] <= tolerance
    both = touching[1:] & touching[:-1]  # (T-1, F)
    slip = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1)
    per_pair = (slip * both).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    return float(per_pair.mean() * 1000.0)


def phys_errors(lowest: np.ndarray, feet: np.ndarray) -> dict[str, float]:
    """The three errors and their sum, mm, of the lowest height (T,) and foot points (T, F, 3)."""
    errors = {
        "penetrate_mm": penetrate_mm(lowest),
        "float_mm": float_mm(lowest),
        "skate_mm": skate_mm(feet),
    }
    errors["phys_err_mm"] = sum(errors.values())
    return errors


def jerk(joints: np.ndarray, fps: float) -> float:
    """Mean norm of the third derivative of joint positions (T, J, 3), m/s^3; 0 under 4 frames."""
    if len(joints) < 4:
        return 0.0
    third = np.diff(np.asarray(joints, dtype=float), n=3, axis=0) * fps**3
    return float(np.linalg.norm(third, axis=-1).mean())


def root_travel_m(transl: np.ndarray) -> float:
    """Length of the horizontal path of the root (T, 3), m.

    A metric of slip is also won by standing still, so report this next to it.
    """
    steps = np.diff(np.asarray(transl, dtype=float)[:, :2], axis=0)
    return float(np.linalg.norm(steps, axis=-1).sum())
