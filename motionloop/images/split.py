"""Which images train the generator, which judge it, and which train the judge: always the same.

The parts are drawn with a fixed seed, so that all runs on a data set share reference and encoder.
"""

from dataclasses import dataclass

import numpy as np

from motionloop.images.images import Images, ImageSet
from motionloop.samples import InputError

MOST = 10_000  # images of the reference, and of the encoder


@dataclass(frozen=True)
class Parts:
    """Three disjoint parts of a data set.

    Attributes:
        train: for the generator.
        reference: held out, for the metrics.
        encoder: for the encoder of the metrics.
    """

    train: Images
    reference: Images
    encoder: Images


def split(images: ImageSet, encoder_images: int | None, trains_encoder: bool = True) -> Parts:
    """The parts of a data set.

    The reference is the set's own test part, else three tenths of it; at most 10,000 images.

    Args:
        images: the data set.
        encoder_images: how many of the training images the encoder learns from; none takes a
            quarter, at most 10,000; 0 gives it one half of the reference instead.
        trains_encoder: whether there is an encoder to train; else its part is empty.

    Raises:
        InputError: the encoder would take all training images.
    """
    train = images.train[np.random.default_rng(0).permutation(len(images.train))]
    if images.test is None:
        held_out = min(MOST, round(0.3 * len(train)))
        reference, train = train[:held_out], train[held_out:]
    else:
        order = np.random.default_rng(1).permutation(len(images.test))
        reference = images.test[order[:MOST]]
    if not trains_encoder:
        return Parts(train, reference, train[:0])
    count = min(MOST, len(train) // 4) if encoder_images is None else encoder_images
    if count == 0:
        half = len(reference) // 2
        return Parts(train, reference[half:], reference[:half])
    if not 0 < count < len(train):
        raise InputError(
            f"task.encoder_images is {count}, but {images.name} has {len(train)} training images; "
            "leave some to the generator, or take 0"
        )
    return Parts(train[count:], reference, train[:count])
