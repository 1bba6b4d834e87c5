"""Convex quadratic programmes.

min 1/2 x'P x + q'x   with A x = b in the first rows and A x <= b in the others
"""

# clarabel has no type stubs.
# pyright: reportAttributeAccessIssue=false
from typing import Any

import clarabel
import numpy as np
from scipy import sparse

Matrix = Any  # a numpy array or one of scipy's sparse ones, whose stubs do not agree on a type


def minimise(
    quad: Matrix,
    linear: np.ndarray,
    rows: Matrix,
    limits: np.ndarray,
    equal: int = 0,
) -> np.ndarray | None:
    """The minimiser x (n,), or None where the solver finds none.

    Args:
        quad: P, (n, n), symmetric and positive semidefinite.
        linear: q, (n,).
        rows: A, (m, n).
        limits: b, (m,).
        equal: how many of the first rows hold with equality.
    """
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    cones = [clarabel.ZeroConeT(equal), clarabel.NonnegativeConeT(len(limits) - equal)]
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(quad), linear, sparse.csc_matrix(rows), limits, cones, settings
    )
    x = np.array(solver.solve().x)
    return x if np.isfinite(x).all() else None
