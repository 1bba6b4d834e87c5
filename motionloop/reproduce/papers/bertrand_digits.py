"""Bertrand et al. on digits: a flow, flow matching, DDPM and EDM, each retrained on itself."""

from motionloop.reproduce.retraining import retraining

EXPERIMENT = retraining("bertrand_digits", "bertrand_digits", "fid", "FID", "8 x 8 digits")
