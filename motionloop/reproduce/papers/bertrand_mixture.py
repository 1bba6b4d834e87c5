"""Bertrand et al. on eight Gaussians: a flow, flow matching, DDPM, EDM, retrained on itself.

Judged by the cross-entropy of samples under the true law. W2 also holds how many points fall on
each mode by chance, which at 1000 points hides what a few generations do.
"""

from motionloop.reproduce.retraining import retraining

EXPERIMENT = retraining(
    "bertrand_mixture",
    "bertrand_mixture",
    "cross_entropy",
    "cross-entropy",
    "eight Gaussians",
    (
        "The first training is short, and flow matching and DDPM go on learning all the way. Half "
        "and half learns too, more slowly: it settles below its start, and above real data only.",
    ),
)
