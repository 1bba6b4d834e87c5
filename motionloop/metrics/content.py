"""What does a motion show? A classifier of motions by their caption's class.

Multinomial logistic regression on kinetic and geometric features (`metrics.kinetic`). It is fitted
to real motions that a generator trains on.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from motionloop.metrics.kinetic import geometric_features, kinetic_features
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions, caption_class


def classes_of(motions: Motions) -> np.ndarray:
    """The class (N,) that every motion is captioned as."""
    return np.array([caption_class(caption) for caption in motions.caption])


def content_features(motions: Motions, body: Body) -> np.ndarray:
    """Kinetic and geometric features (N, F): how each joint moves and how the body is held."""
    joints = body.joints(motions)
    return np.concatenate(
        [
            kinetic_features(joints, motions.length, motions.fps),
            geometric_features(joints, motions.length),
        ],
        axis=1,
    )


class MotionClassifier:
    """Tells the class of motions."""

    def __init__(self, motions: Motions, body: Body):
        """Learn from real motions with captions.

        Args:
            motions: N >= 1 clips.
            body: gives their joints.
        """
        self.body = body
        classes = classes_of(motions)
        self._only = classes[0] if len(set(classes)) == 1 else None
        self._model: Pipeline = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=500)
        )
        if self._only is None:
            self._model.fit(content_features(motions, self.body), classes)

    def classify(self, motions: Motions) -> np.ndarray:
        """The class (N,) that every motion shows."""
        if self._only is not None or len(motions) == 0:
            return np.full(len(motions), self._only)
        return self._model.predict(content_features(motions, self.body))
