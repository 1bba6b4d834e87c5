"""Physics of SMPL motion in MuJoCo: plausibility, contacts, clean-up, tracking, correction.

World axes are right-handed with z up and the floor at z = 0; metres, radians, seconds,
kilograms, newtons. Nothing here needs a body-model licence: a rest skeleton is enough.
"""
