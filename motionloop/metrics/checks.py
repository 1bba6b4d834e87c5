"""What a set of features must be before it is measured."""

import numpy as np

from motionloop.samples import InputError


def checked(x: np.ndarray) -> np.ndarray:
    """The features as float64 (N, D).

    Raises:
        InputError: another number of axes, or values that are NaN or infinite.
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2:
        raise InputError(f"features have shape {x.shape}; expected (N, D)")
    if not np.isfinite(x).all():
        bad = int((~np.isfinite(x)).any(1).sum())
        raise InputError(
            f"{bad} of {len(x)} feature rows are NaN or infinite; if a model made these samples, "
            "its training diverged: lower its learning rate"
        )
    return x
