"""Builds the shipped clips from the DeepMimic clips in the pybullet wheel.

    python assets/clips/build_clips.py PYBULLET_DATA/data/motions

Every clip is retargeted to the shipped body at 30 Hz, levelled, and mirrored. Looping clips go
on for whole cycles until they last four seconds; the others keep their length. Of every clip
and its mirror image one is for training and the other for reference, in turn. See README.md.
"""

import argparse
import io
from dataclasses import fields
from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.dataset import MIRRORED, mirrored, write_index
from motionloop.motion.floor import follow_contacts
from motionloop.motion.formats.deepmimic import (
    lowest_point,
    read_deepmimic,
    source_motion,
    unrolled,
)
from motionloop.motion.retarget import retarget
from motionloop.samples import write_whole
from physics.motion import SmplMotion

FPS = 30.0
SECONDS = 4.0
CLIPS = {  # file: name, caption
    "humanoid3d_backflip.txt": ("backflip", "a person does a backflip"),
    "humanoid3d_cartwheel.txt": ("cartwheel", "a person does a cartwheel"),
    "humanoid3d_crawl.txt": ("crawl", "a person crawls"),
    "humanoid3d_dance_a.txt": ("dance_a", "a person dances, with turns"),
    "humanoid3d_dance_b.txt": ("dance_b", "a person dances, on the spot"),
    "humanoid3d_getup_facedown.txt": ("getup_facedown", "a person gets up, from the belly"),
    "humanoid3d_getup_faceup.txt": ("getup_faceup", "a person gets up, from the back"),
    "humanoid3d_jump.txt": ("jump", "a person jumps"),
    "humanoid3d_kick.txt": ("kick", "a person kicks"),
    "humanoid3d_punch.txt": ("punch", "a person punches"),
    "humanoid3d_roll.txt": ("roll", "a person rolls forward"),
    "humanoid3d_run.txt": ("run", "a person runs"),
    "humanoid3d_spin.txt": ("spin", "a person spins"),
    "humanoid3d_spinkick.txt": ("spinkick", "a person does a spinning kick"),
    "humanoid3d_walk.txt": ("walk", "a person walks"),
    "walker/0walk_forward.txt": ("walk_forward", "a person walks, straight on"),
    "walker/turn_left0.txt": ("walk_left_a", "a person walks, turning left"),
    "walker/turn_left1.txt": ("walk_left_b", "a person walks, turning left"),
    "walker/turn_right0.txt": ("walk_right_a", "a person walks, turning right"),
    "walker/turn_right1.txt": ("walk_right_b", "a person walks, turning right"),
}


def main() -> None:
    """Write the clips and the index into this folder."""
    parser = argparse.ArgumentParser(description="Build the shipped clips.")
    parser.add_argument("motions", type=Path, help="the wheel's pybullet_data/data/motions")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    body = Body.load()
    rest = body.rest_joints(np.zeros(10))
    entries = []
    for number, (file, (name, caption)) in enumerate(CLIPS.items()):
        root, turns = unrolled(read_deepmimic(arguments.motions / file), SECONDS, FPS)
        source = source_motion(root, turns, FPS, caption)
        fit = retarget(source, rest)
        lowest, source_lowest = body.lowest(fit.motion), fit.scale * lowest_point(source)
        clip = centred(follow_contacts(fit.motion, lowest, source_lowest))
        # The copy that trains alternates, so that neither side is left- or right-handed.
        parts = ("train", "reference") if number % 2 == 0 else ("reference", "train")
        for copy, part, end in zip((clip, mirrored(clip)), parts, ("", MIRRORED)):
            save_small(copy, arguments.out / f"{name}{end}.npz")
            entries.append(
                {
                    "name": name + end,
                    "file": f"{name}{end}.npz",
                    "source": f"pybullet_data/data/motions/{file}",
                    "frames": len(copy),
                    "fps": FPS,
                    "caption": copy.caption,
                    "fit_error_m": round(fit.error_m, 6),
                    "split": part,
                }
            )
    write_index(arguments.out, entries)


def centred(motion: SmplMotion) -> SmplMotion:
    """The motion moved over the floor so that it begins above the origin."""
    start = motion.transl[0] * [1.0, 1.0, 0.0]
    values = {field.name: getattr(motion, field.name) for field in fields(motion)}
    return SmplMotion(**{**values, "transl": motion.transl - start})


def save_small(motion: SmplMotion, path: Path) -> None:
    """Write a clip like `SmplMotion.save`, to 0.1 mm and 0.0001 rad: a third of the size."""
    values = {field.name: getattr(motion, field.name) for field in fields(motion)}
    for name in ("transl", "global_orient", "body_pose"):
        values[name] = (np.round(values[name] * 1e4) / 1e4).astype(np.float32)
    values["betas"] = values["betas"].astype(np.float32)
    content = io.BytesIO()
    np.savez_compressed(content, **values)
    write_whole(path, lambda file: file.write(content.getvalue()))


if __name__ == "__main__":
    main()
