"""Make the pictures of this folder.

    python docs/images/make_images.py

contact_strip.png: a shipped walk, spoilt by smooth noise as a generator spoils it (seeded), and
what the physics corrector makes of it. poses.png: two shipped clips.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from motionloop.motion.body import Body
from motionloop.motion.correction import plausibility
from motionloop.paths import CLIPS
from motionloop.viewer.render import render
from physics.corrector import CorrectorConfig, correct_clip
from physics.motion import SmplMotion

HERE = Path(__file__).parent


def spoilt(clip: SmplMotion, rng: np.random.Generator) -> SmplMotion:
    """The clip with a root that drifts by 3 cm and heaves by 5 cm, and joints off by 0.06 rad."""

    def noise(shape: tuple[int, ...], frames: float, spread: float) -> np.ndarray:
        values = np.asarray(gaussian_filter1d(rng.normal(size=shape), frames, axis=0))
        return spread * values / values.std()

    shift = noise((len(clip), 3), 6, 0.03)
    shift[:, 2] += 0.05 * np.sin(np.arange(len(clip)) / 14)
    return replace(
        clip,
        transl=clip.transl + shift,
        global_orient=clip.global_orient + noise((len(clip), 3), 6, 0.03),
        body_pose=clip.body_pose + noise((len(clip), 23, 3), 5, 0.06),
    )


def contact_strip(body: Body) -> None:
    """Raw above corrected, with PhysDiff's physical error in the titles."""
    raw = spoilt(SmplMotion.load(CLIPS / "walk.npz")[:100], np.random.default_rng(2))
    result = correct_clip(raw, body.skeleton(raw.betas), CorrectorConfig())
    if result.fell:
        raise SystemExit(f"the walk fell: {result.reason}")
    pair = {"a walk with noise added": raw, "corrected by physics": result.motion}
    titles = [
        f"{name}: physical error {plausibility(clip, body)['phys_err_mm']:.1f} mm"
        for name, clip in pair.items()
    ]
    render(list(pair.values()), HERE / "contact_strip.png", body, titles=titles, size=(640, 560))


def poses(body: Body) -> None:
    """Two shipped clips."""
    clips = [SmplMotion.load(CLIPS / f"{name}.npz") for name in ("cartwheel", "spinkick")]
    titles = [clip.caption for clip in clips]
    render(clips, HERE / "poses.png", body, titles=titles, size=(640, 480))


if __name__ == "__main__":
    shipped = Body.load()
    contact_strip(shipped)
    poses(shipped)
