"""Laws of the motion generator: it learns, mirrors its training set, and repeats itself exactly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motionloop.motion.features import decode, encode
from motionloop.motion.generator import GeneratorConfig, MotionGenerator
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import PARENTS, REST_TO_WORLD, axis_angles, forward_kinematics

FPS = 20.0
LEARNER = GeneratorConfig(width=32, blocks=1, heads=2, batch=16, learning_rate=4e-3)
TINY = GeneratorConfig(width=16, blocks=1, heads=2, batch=4, sampling_steps=3)


@pytest.fixture
def rest():
    """A stick body: each joint 0.2 m from its parent, in some direction."""
    joints = np.zeros((24, 3))
    directions = np.random.default_rng(5).normal(size=(24, 3))
    for j in range(1, 24):
        joints[j] = joints[PARENTS[j]] + 0.2 * directions[j] / np.linalg.norm(directions[j])
    return joints


def waving_clip(phase, frames=24, caption="wave", pace=1.0):
    """A body that walks and waves its limbs in sines."""
    time = np.arange(frames) / FPS
    swing = 0.6 * np.sin(2 * np.pi * time + phase)
    pose = np.zeros((frames, 23, 3))
    pose[:, [0, 15, 17], 0] = swing[:, None]
    pose[:, [1, 16], 2] = np.stack([-swing, swing**2], axis=1)
    upright = axis_angles(REST_TO_WORLD[None])
    return SmplMotion(
        transl=np.stack([0 * time, -pace * time, 0.9 + 0.03 * swing], axis=1),
        global_orient=np.repeat(upright, frames, axis=0),
        body_pose=pose,
        betas=np.zeros(10),
        fps=FPS,
        caption=caption,
    )


def data():
    return Motions.pack([
        waving_clip(0.0, 12, "wave, happy"),
        waving_clip(1.0, 9, "wave, tired"),
        waving_clip(2.0, 12, "stand, still", pace=0.0),
    ])  # fmt: skip


def make(rest, config=TINY, seed=0, frames=12, classes=("stand", "wave")):
    rng = np.random.default_rng(seed)
    return MotionGenerator(config, classes, frames, FPS, rest, rng, device="cpu")


def trained(rest, config=TINY, steps=3):
    model = make(rest, config)
    model.fit(data(), steps, np.random.default_rng(1))
    return model


def same(one, other):
    return all(np.array_equal(column, getattr(other, n)) for n, column in one.columns().items())


def draw(model, seed=2, count=5):
    return model.sample(count, np.random.default_rng(seed))


def test_it_learns_one_clip_by_heart(rest):
    """Every draw then shows that clip: joints are off by centimetres, noise by decimetres."""
    clip = Motions.pack([waving_clip(0.3)])
    model = make(rest, LEARNER, frames=24)
    model.fit(clip, 220, np.random.default_rng(0))
    target = decode(encode(clip, rest), rest, clip.length, FPS, clip.caption).unpack()[0]
    wanted, _ = forward_kinematics(rest, target.transl, target.global_orient, target.body_pose)
    for motion in model.sample(4, np.random.default_rng(3)).unpack():
        joints, _ = forward_kinematics(rest, motion.transl, motion.global_orient, motion.body_pose)
        assert np.linalg.norm(joints - wanted, axis=-1).mean() < 0.04


def test_it_tells_classes_apart(rest):
    """Trained on a class that walks and one that stands, draws of each travel as it does."""
    clips = [waving_clip(p, 12, "wave", pace=1.5) for p in (0, 2, 4)]
    clips += [waving_clip(p, 12, "stand", pace=0.0) for p in (0, 2, 4)]
    config = replace(LEARNER, difference_weight=0.0)  # learns what is constant in time sooner
    model = make(rest, config)
    model.fit(Motions.pack(clips), 150, np.random.default_rng(0))
    drawn = model.sample_captions(
        ["wave"] * 4 + ["stand"] * 4, np.full(8, 12), np.random.default_rng(1)
    )
    travel = np.linalg.norm(drawn.transl[:, -1] - drawn.transl[:, 0], axis=-1)
    assert travel[:4].min() > 0.5
    assert travel[4:].max() < 0.3


def test_a_redrawn_motion_keeps_caption_length_and_index_and_is_another(rest):
    model = trained(rest)
    drawn = model.sample(6, np.random.default_rng(0))[[4, 1]]
    again = model.redraw(drawn, np.random.default_rng(1))
    for name in ("caption", "length", "index"):
        np.testing.assert_array_equal(getattr(again, name), getattr(drawn, name))
    assert np.abs(again.body_pose - drawn.body_pose).max() > 0.01


def test_samples_mirror_the_captions_and_lengths_of_the_training_set(rest):
    drawn = trained(rest).sample(7, np.random.default_rng(0))
    pairs = list(zip(drawn.caption.tolist(), drawn.length.tolist()))
    known = list(zip(data().caption.tolist(), data().length.tolist()))
    assert sorted(pairs[:3]) == sorted(pairs[3:6]) == sorted(known)
    assert pairs[6] in known
    assert drawn.transl.shape == (7, 12, 3)
    assert (drawn.fps == FPS).all()
    assert drawn.index.tolist() == [*range(7)]


def test_captions_stay_those_of_the_first_fit(rest):
    model = trained(rest)
    model.fit(data()[:1], 1, np.random.default_rng(2))
    assert set(model.sample(3, np.random.default_rng(0)).caption) == set(data().caption)


def test_the_same_seeds_give_the_same_bits_and_leave_torchs_own_generator_alone(rest):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first = draw(trained(rest))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(8)
    assert same(draw(trained(rest)), first)
    assert not same(draw(trained(rest), seed=3), first)


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        replace(TINY, ema_decay=0.9),
        replace(TINY, guidance=2.0),
        replace(TINY, sampler="ddpm"),
        replace(TINY, eta=0.5),
    ],
)
def test_a_loaded_model_samples_and_trains_on_as_the_saved_one(rest, tmp_path, config):
    model, restored = trained(rest, config), make(rest, config, seed=9)
    path = tmp_path / "model.safetensors"
    model.save(path)
    restored.load(path)
    assert same(draw(restored), draw(model))
    assert same(draw(MotionGenerator.from_file(path, device="cpu")), draw(model))
    losses = [one.fit(data(), 3, np.random.default_rng(4)) for one in (model, restored)]
    assert losses[0] == losses[1]
    assert same(draw(restored), draw(model))


def test_settings_of_sampling_change_the_draw(rest):
    plain = draw(trained(rest))
    for change in ({"guidance": 3.0}, {"sampler": "ddpm"}, {"eta": 1.0}, {"sampling_steps": 4}):
        model = trained(rest)
        model.config = replace(TINY, **change)
        assert not same(draw(model), plain), change


def test_an_average_of_weights_is_drawn_with_but_training_goes_on_from_the_last(rest):
    averaged, plain = trained(rest, replace(TINY, ema_decay=0.5)), trained(rest)
    assert not same(draw(averaged), draw(plain))
    scalars = [one.fit(data(), 2, np.random.default_rng(4)) for one in (averaged, plain)]
    assert scalars[0] == scalars[1]


def test_later_fits_keep_the_scaling_and_train_at_the_finetuning_rate(rest):
    model = trained(rest)
    still = trained(rest, replace(TINY, finetune_learning_rate=0.0))
    before = draw(still)
    shifted = replace(data(), transl=data().transl + np.float32(0.5))
    for one in (model, still):
        one.fit(shifted, 5, np.random.default_rng(6))
    assert same(draw(still), before)
    assert not same(draw(model), before)


def test_frames_of_padding_cannot_change_what_is_learned(rest):
    clean = data()
    dirty = replace(clean, body_pose=clean.body_pose.copy(), transl=clean.transl.copy())
    dirty.body_pose[1, 9:] = 3.0
    dirty.transl[1, 9:] = -5.0
    models = [make(rest), make(rest)]
    for model, clips in zip(models, (clean, dirty)):
        model.fit(clips, 4, np.random.default_rng(1))
    assert same(draw(models[0]), draw(models[1]))


def test_progress_counts_up_to_the_total(rest):
    model, seen = make(rest), []
    model.on_progress = lambda *report: seen.append(report)
    model.fit(data(), 3, np.random.default_rng(1))
    draw(model, count=70)
    assert [report for report in seen if report[0] == "train"] == [
        ("train", i, 3) for i in (1, 2, 3)
    ]
    sampling = [done for what, done, total in seen if what == "sample" and total == 210]
    assert sampling == sorted(sampling)
    assert sampling[-1] == 210


def test_mistakes_are_named(rest, tmp_path):
    model, rng = make(rest), np.random.default_rng(0)
    with pytest.raises(InputError, match="untrained"):
        model.sample(1, rng)
    with pytest.raises(InputError, match="no clips"):
        model.fit(data()[:0], 1, rng)
    with pytest.raises(InputError, match=r"'fly'.*'stand', 'wave'"):
        model.fit(replace(data(), caption=np.array(["fly", "wave", "wave"])), 1, rng)
    with pytest.raises(InputError, match="resample"):
        model.fit(replace(data(), fps=np.full(3, 30.0)), 1, rng)
    with pytest.raises(InputError, match="24 frames"):
        model.fit(Motions.pack([waving_clip(0.0)]), 1, rng)
    path = tmp_path / "model.safetensors"
    trained(rest).save(path)
    with pytest.raises(InputError, match="width 16, this model 32"):
        make(rest, replace(TINY, width=32)).load(path)
    with pytest.raises(InputError, match="another body"):
        make(rest + 0.01).load(path)
    with pytest.raises(InputError, match="'gpu'"):
        MotionGenerator(TINY, ["wave"], 12, FPS, rest, rng, device="gpu")


@pytest.mark.parametrize(
    "change",
    [{"sampler": "euler"}, {"width": 18, "heads": 4}, {"label_dropout": 1.5}, {"ema_decay": 1.0}],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(InputError, match=next(iter(change))):
        GeneratorConfig(**change)


def test_projected_samples_are_what_the_projector_allows(rest):
    model = make(rest, replace(TINY, projections=2))
    model.fit(data(), 2, np.random.default_rng(0))
    asked = []

    def at_one_height(motions):
        asked.append(len(motions))
        level = motions.transl.copy()
        level[..., 2] = 1.5 - rest[0, 2]
        return replace(motions, transl=level)

    model.projector = at_one_height
    drawn = model.sample(5, np.random.default_rng(1))
    assert asked == [5, 5]
    heights = np.concatenate([c.transl[:, 2] for c in drawn.unpack()])
    np.testing.assert_allclose(heights, 1.5 - rest[0, 2], atol=1e-5)


def test_projections_without_a_projector_or_a_place_are_refused(rest):
    model = make(rest, replace(TINY, projections=1))
    model.fit(data(), 1, np.random.default_rng(0))
    with pytest.raises(InputError, match="projector"):
        model.sample(1, np.random.default_rng(0))
    with pytest.raises(InputError, match="do not fit"):
        GeneratorConfig(sampling_steps=3, projections=4)
