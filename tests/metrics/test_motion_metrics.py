"""Laws of the physical metrics, of the whole of the motion metrics, and of comparisons."""

import dataclasses
import json
import warnings

import numpy as np
import pytest
from made_motions import make_clip, make_motions

from motionloop.metrics.compare import MEANING, evaluate
from motionloop.metrics.motion import MotionMetrics
from motionloop.metrics.physical import PhysicalMetrics
from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.plausibility import phys_errors

FIGURES = set(MEANING)


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def metrics(body, encoder):
    return MotionMetrics(body, encoder, resamples=50)


def shifted(motions, shift):
    return dataclasses.replace(motions, transl=motions.transl + np.float32(shift))


def with_lengths(motions, length):
    return dataclasses.replace(motions, length=np.asarray(length, np.int64))


def test_the_ground_is_met_where_the_posed_skin_says(rng, body):
    clips = [make_clip(rng, kind, "quick", frames) for kind, frames in (("bow", 30), ("walk", 41))]
    broad = dataclasses.replace(clips[0], betas=rng.normal(size=10))
    clips.append(dataclasses.replace(broad, body_pose=rng.normal(size=(30, 23, 3))))
    for clip, (lowest, feet) in zip(clips, ground_contacts(body, Motions.pack(clips))):
        np.testing.assert_allclose(lowest, body.lowest(clip), atol=2e-6)
        np.testing.assert_allclose(feet, body.feet(clip), atol=2e-6)


def test_the_ground_is_met_by_a_body_with_pose_correctives_too(rng, body):
    correctives = 0.01 * rng.normal(size=body._arrays.posedirs.shape)
    soft = Body(dataclasses.replace(body._arrays, posedirs=correctives), "soft", "")
    clip = make_clip(rng, "bow", "quick", 5)
    ((lowest, feet),) = ground_contacts(soft, Motions.pack([clip]))
    np.testing.assert_allclose(lowest, soft.lowest(clip), atol=1e-6)
    np.testing.assert_allclose(feet, soft.feet(clip), atol=1e-6)
    assert np.abs(lowest - body.lowest(clip)).max() > 1e-4


def test_physical_figures_are_means_over_frames_of_what_each_clip_shows(rng, body):
    clips = [make_clip(rng, "walk", "quick", 20), make_clip(rng, "bow", "slow", 60)]
    found = PhysicalMetrics(body)(Motions.pack(clips))
    each = [phys_errors(body.lowest(clip), body.feet(clip)) for clip in clips]
    for name in ("penetrate_mm", "float_mm", "skate_mm", "phys_err_mm"):
        expected = 0.25 * each[0][name] + 0.75 * each[1][name]
        assert found[name] == pytest.approx(expected, rel=1e-3, abs=0.02)
    steps = np.diff(clips[0].transl[:, :2], axis=0)
    assert found["root_travel_m"] == pytest.approx(
        np.linalg.norm(steps, axis=1).sum() / 2, rel=1e-3
    )


def test_raising_floats_sinking_penetrates_sliding_skates(rng, body):
    motions = make_motions(rng, 6)
    physical = PhysicalMetrics(body)
    plain, up, down = (physical(shifted(motions, [0, 0, z])) for z in (0, 0.1, -0.1))
    assert up["float_mm"] > plain["float_mm"] + 60
    assert up["penetrate_mm"] == 0
    assert down["penetrate_mm"] > plain["penetrate_mm"] + 60
    slide = np.arange(40)[:, None] * np.array([0.01, 0, 0])
    still = make_motions(rng, 6, ("wave",))
    grounded = shifted(still, [0, 0, -0.05])
    assert physical(grounded)["skate_mm"] < 1
    assert physical(shifted(grounded, slide))["skate_mm"] == pytest.approx(10, rel=0.05)
    assert physical(shifted(grounded, slide))["root_travel_m"] == pytest.approx(0.39, rel=1e-3)


def test_every_figure_is_there_and_equal_sets_are_at_zero_distance(rng, metrics):
    reference = make_motions(rng, 60)
    with pytest.warns(UserWarning, match="60 samples"):
        scalars = metrics(reference[rng.permutation(60)], reference)
    assert set(scalars) == FIGURES
    for name in ("fid", "kinetic_fid", "geometric_fid"):
        assert scalars[name] == pytest.approx(0, abs=1e-6)
    for name in ("precision", "recall", "coverage"):
        assert scalars[name] == 1
    assert scalars["fid_low"] <= scalars["fid"] <= scalars["fid_high"]
    assert all(type(value) is float for value in scalars.values())


@pytest.mark.filterwarnings("ignore:FID of")
def test_padding_place_and_order_change_no_figure(rng, metrics):
    reference = make_motions(rng, 40)
    motions = with_lengths(make_motions(rng, 40), rng.integers(20, 41, 40))
    scalars = metrics(motions, reference)
    body_pose, transl = motions.body_pose.copy(), motions.transl.copy()
    for n, length in enumerate(motions.length):
        body_pose[n, length:] = rng.normal(size=body_pose[n, length:].shape)
        transl[n, length:] += 3
    padded = dataclasses.replace(motions, body_pose=body_pose, transl=transl)
    moved = shifted(padded, [4.0, -2.0, 0.0])[rng.permutation(40)]
    for name, value in metrics(moved, reference).items():
        if not name.endswith(("_low", "_high")):  # the bootstrap draws by row
            assert value == pytest.approx(scalars[name], rel=2e-3, abs=2e-3), name


@pytest.mark.filterwarnings("ignore:FID of")
def test_defects_show_in_the_figures_that_are_named_for_them(rng, metrics):
    reference, motions = make_motions(rng, 120), make_motions(rng, 60)
    good = metrics(motions, reference)
    one_class = metrics(make_motions(rng, 60, ("walk",)), reference)
    assert one_class["recall"] < 0.6 * good["recall"]
    assert one_class["fid"] > 5 * good["fid"]
    assert one_class["diversity"] < good["diversity"]
    one_motion = motions[np.arange(60) % 3]
    assert (
        metrics(one_motion, reference)["within_class_diversity"]
        < 0.2 * (good["within_class_diversity"])
    )
    shaken = dataclasses.replace(
        motions, body_pose=motions.body_pose + 0.3 * rng.normal(size=motions.body_pose.shape)
    )
    jittery = metrics(shaken, reference)
    assert jittery["precision"] < good["precision"]
    assert jittery["kinetic_fid"] > 10 * good["kinetic_fid"]
    assert jittery["jerk"] > 5 * good["jerk"]
    swapped = dataclasses.replace(motions, caption=np.roll(motions.caption, 1))
    assert good["caption_agreement"] > 0.9
    assert metrics(swapped, reference)["caption_agreement"] < 0.1


def test_figures_repeat_and_the_reference_is_read_once(rng, metrics, monkeypatch):
    reference, motions = make_motions(rng, 30), make_motions(rng, 100)
    batches = []
    joints = Body.joints
    monkeypatch.setattr(Body, "joints", lambda self, m: batches.append(len(m)) or joints(self, m))
    first = metrics(motions, reference)
    assert metrics(motions, reference) == first
    assert batches == [100, 30, 100]
    other = metrics(motions, motions)
    assert other["fid"] == pytest.approx(0, abs=1e-6)
    assert first["fid"] > 0


def test_a_hundred_samples_are_enough_and_fewer_are_warned_of_once(rng, metrics):
    reference = make_motions(rng, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics(reference, reference)
        with pytest.raises(UserWarning, match="12 samples"):
            metrics(reference[:12], reference)
        metrics(reference[:12], reference)


@pytest.mark.filterwarnings("ignore:FID of")
def test_what_so_few_samples_cannot_support_is_left_out(rng, metrics):
    reference = make_motions(rng, 12)
    one = metrics(reference[:1], reference)
    assert "fid" not in one
    assert {"caption_agreement", "jerk", "float_mm"} <= set(one)
    assert "precision" not in metrics(reference[:4], reference)
    assert "precision" not in metrics(reference, reference[:4])
    assert "fid" in metrics(reference[:4], reference)
    assert metrics(reference[:0], reference) == {}


def test_the_description_names_the_encoder_and_is_plain_text(metrics):
    description = metrics.describe()
    assert description["encoder"] == metrics.encoder.name
    assert description["physics"].startswith("PhysDiff, 5 mm")
    assert json.loads(json.dumps(description)) == description


@pytest.mark.filterwarnings("ignore:FID of")
def test_a_comparison_puts_every_figure_beside_the_real_one(rng, body, encoder):
    reference = make_motions(rng, 80)
    shaken = shifted(make_motions(rng, 40), [0, 0, 0.1])
    rows = {row.metric: row for row in evaluate(shaken, reference, body, encoder)}
    assert set(rows) == FIGURES
    real = PhysicalMetrics(body)(reference)["float_mm"]
    assert rows["float_mm"].real == real
    assert rows["float_mm"].value > 60 > real
    assert rows["geometric_fid"].value > 2 * (rows["geometric_fid"].real or np.inf)
    assert evaluate(reference[:1], reference[:2], body, encoder)
    with pytest.raises(InputError, match="first set has 0"):
        evaluate(reference[:0], reference, body, encoder)
    with pytest.raises(InputError, match="second set has 1"):
        evaluate(reference, reference[:1], body, encoder)
