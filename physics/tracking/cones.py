"""Least squares over friction pyramids: the contact forces that come closest to a wish.

    min over f >= 0 of  1/2 |C f - d|^2 + eps/2 |f|^2                                       (1)

With few rows and many columns the dual is small: with rho = d - C f the optimum obeys
f = max(0, C'rho) / eps, so that rho is the minimiser of the convex function

    phi(rho) = 1/2 |rho|^2 + 1/(2 eps) |max(0, C'rho)|^2 - d'rho,                           (2)

found by Newton's method on the set of columns with C'rho > 0. The set hardly changes between
control steps, so that a warm start needs one or two steps. Bertsekas, Nonlinear Programming
(1999), on duals of strictly convex quadratic programmes.
"""

import numpy as np


def pyramid_edges(friction: float) -> np.ndarray:
    """Edges (4, 3) of the friction pyramid on a level floor; their vertical part is 1."""
    return np.array(
        [[friction, 0, 1], [-friction, 0, 1], [0, friction, 1], [0, -friction, 1]], dtype=float
    )


def solve_cone(
    matrix: np.ndarray, wish: np.ndarray, eps: float, start: np.ndarray, iterations: int = 30
) -> tuple[np.ndarray, np.ndarray]:
    """The minimiser of (1) and its dual.

    Args:
        matrix: C, (R, K) with few rows R.
        wish: d, (R,).
        eps: regularisation > 0.
        start: (R,) first guess of rho.
        iterations: Newton steps at most.

    Returns:
        f (K,) >= 0 and rho (R,).
    """
    rho = start
    inverse = 1.0 / eps
    identity = np.eye(len(wish))
    slack = np.maximum(rho @ matrix, 0.0)
    value = 0.5 * (rho @ rho + inverse * (slack @ slack)) - wish @ rho
    for _ in range(iterations):
        gradient = rho + inverse * (matrix @ slack) - wish
        if gradient @ gradient < 1e-18 * (1.0 + wish @ wish):
            break
        active = matrix[:, slack > 0]
        step = np.linalg.solve(identity + inverse * (active @ active.T), gradient)
        descent, size = gradient @ step, 1.0
        while True:
            trial = rho - size * step
            trial_slack = np.maximum(trial @ matrix, 0.0)
            trial_value = (
                0.5 * (trial @ trial + inverse * (trial_slack @ trial_slack)) - wish @ trial
            )
            if trial_value <= value - 1e-4 * size * descent or size < 1e-6:
                break
            size *= 0.5
        rho, slack, value = trial, trial_slack, trial_value
    return slack * inverse, rho
