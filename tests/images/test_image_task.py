"""Laws of the image task: every method and corrector runs the loop; metrics know what they see."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from image_files import write_folder, write_mnist

from motionloop import experiment
from motionloop.images.images import Images
from motionloop.images.packing import ImagePacking
from motionloop.images.source import load_images
from motionloop.images.split import split
from motionloop.loop.controller import SilentDisplay, run
from motionloop.metrics.images import ImageMetrics
from motionloop.metrics.inception import Inception
from motionloop.metrics.lenet import LeNet, LeNetConfig
from motionloop.reporters import SilentReporter
from motionloop.samples import InputError
from motionloop.tasks.image import SHIPPED_ENCODER

SMALL = ["--width", "8", "--count", "80", "--generations", "1", "--initial_steps", "2",
         "--loop.steps", "1", "--evaluation_count", "40", "--batch", "16"]  # fmt: skip


@pytest.fixture(scope="module")
def parts():
    return split(load_images(None, None, lambda done, total: None), None)


def outcome(path, *arguments):
    settings = experiment.load("digits", [*SMALL, *arguments])
    task = settings.build(SilentDisplay())
    return run(task, settings.loop, path, SilentReporter())


@pytest.mark.parametrize("method", ["ddpm", "edm", "otcfm", "flow", "wgan", "stylegan2"])
def test_every_method_runs_the_loop_and_goes_on(tmp_path, method):
    several = method in ("ddpm", "edm", "otcfm")
    steps = ["--sampling_steps", "3"] if several else []
    settings = ["--method", method, *steps]
    rows = outcome(tmp_path / "a", *settings)
    assert {"fid", "kid", "precision", "recall", "agreement"} <= set(rows[-1])
    assert (tmp_path / "a/generation_001/preview.png").stat().st_size > 500
    longer = [*settings, "--generations", "2"]
    resumed, whole = outcome(tmp_path / "a", *longer), outcome(tmp_path / "b", *longer)
    assert resumed[-1] == pytest.approx(whole[-1], nan_ok=True)


def test_a_perceptron_runs_the_loop_with_guidance_and_is_not_taken_for_a_u_net(tmp_path):
    settings = ["--network", "perceptron", "--sampling_steps", "2"]
    rows = outcome(tmp_path, *settings, "--guidance", "2")
    assert {"fid", "recall"} <= set(rows[-1])
    task = experiment.load("digits", SMALL).build(SilentDisplay())
    flat = experiment.load("digits", [*SMALL, *settings]).build(SilentDisplay())
    made, other = (t.make_model(np.random.default_rng(0)) for t in (flat, task))
    made.load(tmp_path / "generation_001" / "model.safetensors")
    assert len(made.sample(3, np.random.default_rng(0))) == 3
    other.fit(task.real, 1, np.random.default_rng(0))
    other.save(tmp_path / "u_net.safetensors")
    with pytest.raises(InputError, match="network"):
        made.load(tmp_path / "u_net.safetensors")


def test_a_perceptron_narrower_than_the_image_is_refused():
    settings = ["--network", "perceptron", "--width", "7"]
    with pytest.raises(InputError, match=r"raise model\.width to 8,"):
        experiment.load("digits", settings).build(SilentDisplay())
    experiment.load("digits", [*settings, "--method", "flow"]).build(SilentDisplay())


@pytest.mark.parametrize("rule", ["none", "nearest", "verifier"])
@pytest.mark.parametrize("variant", ["sims", "neon"])
def test_every_corrector_and_guidance_runs_the_loop(tmp_path, rule, variant):
    guidance = ["--variant", variant, "--task.self_guidance.steps", "1"]
    few = ["--sampling_steps", "2", "--task.self_guidance.ratio", "0.1"]
    rows = outcome(tmp_path, "--rule", rule, *guidance, *few)
    assert rows[-1]["corrector/corrected"] == (40 if rule == "verifier" else 80)


def test_means_put_few_distinct_images_of_the_same_class_in_the_place_of_many(parts):
    settings = experiment.load("digits", ["--means", "4"])
    task = settings.build(SilentDisplay())
    samples = parts.reference
    corrected, _ = task.corrector.correct(samples, np.random.default_rng(0))
    assert np.array_equal(np.sort(corrected.label), np.sort(samples.label))
    assert len(np.unique(corrected.vectors(), axis=0)) <= 40


def test_packed_images_come_back(parts):
    packing = ImagePacking(8, 1, 10)
    x, label = packing.pack(parts.reference)
    assert x.shape[1:] == packing.shape
    assert (x.min(), x.max()) == (-1, 1)
    again = packing.unpack(x, label)
    assert np.array_equal(again.pixels, parts.reference.pixels)
    assert np.array_equal(again.label, parts.reference.label)
    assert packing.unpack(torch.full((1, 1, 8, 8), 7.0), torch.zeros(1).long()).pixels.max() == 255
    with pytest.raises(InputError, match="training diverged"):
        packing.unpack(torch.full((1, 1, 8, 8), torch.nan), torch.zeros(1).long())


def test_the_shipped_encoder_reads_digits_that_it_never_saw(parts):
    encoder = LeNet.load(SHIPPED_ENCODER)
    read = encoder.probabilities(parts.reference).argmax(1)
    assert (read == parts.reference.label).mean() == pytest.approx(encoder.accuracy)
    assert encoder.accuracy > 0.9
    assert np.allclose(encoder.features(parts.encoder).var(0).mean(), 1, rtol=1e-4)


def test_an_encoder_is_the_same_for_the_same_seed_and_survives_its_file(tmp_path, parts):
    def made(seed):
        config = LeNetConfig(epochs=1, least_steps=20, seed=seed)
        return LeNet.fit(parts.encoder, 10, parts.reference[:20], config)

    one = made(0)
    one.save(tmp_path / "e")
    again = LeNet.load(tmp_path / "e")
    assert one.name == made(0).name == again.name != made(1).name
    few = parts.reference[:5]
    assert np.array_equal(one.features(few), again.features(few))
    with pytest.raises(InputError, match="one class only"):
        LeNet.fit(parts.encoder[parts.encoder.label == 3], 10, parts.reference)


def test_the_encoder_of_other_data_is_kept_beside_them_and_made_anew_for_changed_data(tmp_path):
    folder = write_folder(tmp_path / "set", count=40)
    names = []
    for change in (False, False, True):
        if change:
            write_folder(folder, classes=("dog", "cat"), count=40)  # classes change their images
        settings = experiment.load("digits", ["--data", str(folder), "--count", "20"])
        names.append(settings.build(SilentDisplay()).definitions["encoder"])
    assert names[0] == names[1] != names[2]
    assert len(list(folder.glob("lenet_*.safetensors"))) == 2


def test_metrics_tell_collapse_from_noise_and_both_from_real_images(parts):
    metrics = ImageMetrics(LeNet.load(SHIPPED_ENCODER), 5)
    real = parts.train[:300]
    order = np.argsort(real.label, kind="stable")
    first = order[np.searchsorted(real.label[order], real.label)]
    narrow = Images(real.pixels[first], real.label)  # one image a class
    noise = np.random.default_rng(0).integers(0, 256, real.pixels.shape, dtype=np.uint8)
    noisy = Images(noise, real.label)
    good, few, bad = (metrics(one, parts.reference) for one in (real, narrow, noisy))
    assert good["fid"] < few["fid"] < bad["fid"]
    assert good["kid"] == pytest.approx(0, abs=0.05)
    assert good["recall"] > 0.9 > 0.2 > few["recall"]
    assert few["precision"] > 0.9 > 0.5 > bad["precision"]
    assert few["within_class_diversity"] == pytest.approx(0)
    assert good["agreement"] > 0.9
    assert bad["agreement"] < 0.3
    assert good["fid_low"] <= good["fid"] <= good["fid_high"]


def test_fid_is_that_of_an_independent_formula(parts):
    from scipy.linalg import sqrtm

    encoder = LeNet.load(SHIPPED_ENCODER)
    x, y = encoder.features(parts.train[:200]), encoder.features(parts.reference)
    cross = sqrtm(np.cov(x.T) @ np.cov(y.T)).real
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(np.cov(x.T) + np.cov(y.T) - 2 * cross)
    fid = ImageMetrics(encoder, 5)(parts.train[:200], parts.reference)["fid"]
    assert fid == pytest.approx(wanted, rel=1e-4)


def test_inception_without_its_package_or_with_harmful_weights_is_named(tmp_path, monkeypatch):
    import pickle

    from motionloop.metrics import inception

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    weights = tmp_path / "w.pth"
    weights.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match=r"motionloop\[inception\]|does not hold"):
        Inception(weights)
    monkeypatch.setattr(inception, "_extractor", lambda: lambda *a, **k: torch.load(weights))
    with pytest.raises(InputError, match="does not hold weights"):
        Inception(weights)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--encoder", "inception"], "inception_weights"),
        (["--count", "0"], "task.count is 0"),
        (["--method", "flow", "--guidance", "2"], "flow has no guidance"),
        (["--guidance", "2", "--label_dropout", "0"], "label_dropout"),
        (["--means", "0"], "corrector.means is 0"),
        (["--width", "12"], "width 12"),
    ],
)
def test_mistakes_in_settings_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        experiment.load("digits", arguments)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03"), "cut short"),
        (lambda f: (f / "train-labels-idx1-ubyte").unlink(), "lacks train-labels"),
    ],
)
def test_bad_files_end_a_run_before_it_has_written_anything(tmp_path, spoil, message):
    folder = write_mnist(tmp_path / "m", packed=False)
    spoil(folder)
    ended(tmp_path, message, "--data", "m", "--count", "10")


def test_one_class_too_many_images_or_unknown_files_end_a_run(tmp_path):
    write_folder(tmp_path / "one", classes=("cat",), count=40)
    ended(tmp_path, "one class only", "--data", "one", "--count", "10")
    ended(tmp_path, "lower task.count", "--count", "5000")


def ended(folder, message, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "motionloop", "run", "digits", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "runs").exists()
