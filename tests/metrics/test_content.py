"""Does the judge of content know what a motion shows?"""

import numpy as np

from motionloop.metrics.content import MotionClassifier, classes_of
from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.motions import Motions
from motionloop.paths import CLIPS

CONTENTS = ("walk_", "crawl", "spin")


def _windows(mirrored: bool) -> Motions:
    """Two-second windows of three contents of the shipped clips, or of their mirror images."""
    clips = []
    for entry, clip in load_clips(CLIPS):
        name = entry["name"]
        if name.endswith("_mirrored") != mirrored or not name.startswith(
            ("walk_", "crawl", "spin")
        ):
            continue
        frames = round(2 * clip.fps)
        clips += [clip[k : k + frames] for k in range(0, len(clip) - frames, 10)]
    return Motions.pack(clips)


def test_real_motions_that_it_has_not_seen_show_what_they_are_captioned_as():
    body = Body.load()
    known, new = _windows(False), _windows(True)
    classifier = MotionClassifier(known, body)
    assert (classifier.classify(new) == classes_of(new)).mean() > 0.9
    wrong = np.array([caption != classes_of(new)[0] for caption in classifier.classify(new)])
    assert wrong.any()


def test_with_one_class_everything_shows_it():
    body = Body.load()
    known = _windows(False)
    only = known[classes_of(known) == classes_of(known)[0]]
    classifier = MotionClassifier(only, body)
    assert set(classifier.classify(known)) == {classes_of(known)[0]}
