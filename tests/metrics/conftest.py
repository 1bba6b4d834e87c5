"""A body and a small trained encoder that the tests of the metrics share."""

import numpy as np
import pytest
import torch
from made_motions import make_motions

from motionloop.metrics.encoders import EncoderConfig, MotionEncoder
from motionloop.motion.body import Body


@pytest.fixture(scope="session")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="session")
def encoder(body):
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    motions = make_motions(rng, 72)
    config = EncoderConfig(steps=100, width=16, batch=32)
    return MotionEncoder.fit(motions, body.joints(motions), rng, config)
