"""Bertrand et al. on eight Gaussians: a flow, flow matching, DDPM, EDM, retrained on itself."""

from motionloop.reproduce.retraining import retraining

EXPERIMENT = retraining("bertrand_mixture", "bertrand_mixture", "w2", "W2", "eight Gaussians")
