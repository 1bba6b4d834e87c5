"""The motion task: SMPL motion diffusion, corrected by physics, judged on held-out real motion.

Real data are windows of a data set's clips. The clips are split three ways: the generator trains
on windows of one part, the second part is the reference, and the encoder that metrics compare
with learns from clips that no generator trains on.
"""

import math
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from motionloop.correctors.chain import Chain
from motionloop.correctors.content import Content
from motionloop.correctors.cover import Cover
from motionloop.correctors.verifier import check_keep
from motionloop.diffusion.device import resolve_device
from motionloop.interfaces import Corrector, Display, Task
from motionloop.metrics.content import MotionClassifier, classes_of, content_features
from motionloop.metrics.encoders import MotionEncoder
from motionloop.metrics.memorisation import Memorisation
from motionloop.metrics.motion import MotionMetrics
from motionloop.metrics.text_motion_metrics import TextMotionMetrics, load_evaluator
from motionloop.motion.body import Body
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.correction import (
    ASSIST,
    Corrections,
    FallPolicy,
    MotionCorrector,
    plausibility,
    projector,
)
from motionloop.motion.dataset import split
from motionloop.motion.generator import GeneratorConfig, MotionGenerator
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.text import text_encoder
from motionloop.motion.windows import WindowPlan
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from motionloop.strength import Strength, StrengthMode, check_gamma
from physics.corrector import CorrectorConfig, TrackingCorrector
from physics.tracking.search import SearchConfig

HEADLINE = (
    "fid", "kinetic_fid", "diversity", "caption_agreement", "recall", "phys_err_mm", "skate_mm",
    "jerk", "corrector/success",
)  # fmt: skip
CURVES = (
    "fid", "kinetic_fid", "caption_agreement", "diversity", "within_class_diversity", "recall",
    "r_precision_3", "t2m_fid", "memorised",
    "penetrate_mm", "float_mm", "skate_mm", "jerk", "root_travel_m", "corrector/success",
    "corrector/assistance_mean_bw", "corrector/mpjpe_mm",
)  # fmt: skip


# An encoder learns from so many clips at most, and from the first seconds of each.
ENCODER_CLIPS = 2000
ENCODER_SECONDS = 30.0
MANY_CLASSES = 100  # more are rather sentences than classes


Stage = Literal["physics", "verifier", "cover"]


@dataclass(frozen=True)
class MotionCorrectorConfig:
    """How synthetic motions are corrected.

    Attributes:
        gamma: correction strength in [0, inf]; 0 corrects nothing, inf everything.
        mode: mixture corrects a share gamma / (1 + gamma) of the samples, blend moves every
            sample that share of the way.
        on_fall: what becomes of a sample that falls: drop, kinematic (its clean-up), keep_raw, or
            assist (try .1 and .25 body weights of assistance, unless tracking.rescue_budgets are
            given; drop it if that fails).
        stages: what is done to a sample, in this order: physics tracks it; verifier drops it where
            it does not show what its caption says (a classifier of the generator's own clips);
            cover chooses it among several draws, so that they cover the generator's windows.
        redraws: how often the verifier has a sample that it rejects drawn again, with the same
            caption, before it drops it.
        candidates: draws that `cover` chooses one of.
        keep: share of the chosen that `cover` keeps, the nearest to the generator's windows.
        tracking: the physics; without a search for what falls, which would take most of a loop's
            time (`tracking.search.samples 16` searches).
    """

    gamma: float = math.inf
    mode: StrengthMode = "mixture"
    stages: tuple[Stage, ...] = ("physics",)
    on_fall: FallPolicy = "drop"
    redraws: int = 0
    candidates: int = 8
    keep: float = 1.0
    tracking: CorrectorConfig = field(
        default_factory=lambda: CorrectorConfig(search=SearchConfig(samples=0))
    )

    def __post_init__(self):
        check_gamma(self.gamma)
        if not self.stages:
            raise InputError("corrector.stages is empty; for no correction set gamma to 0")
        for stage, what in (("verifier", "is dropped"), ("cover", "is another draw")):
            if self.mode == "blend" and stage in self.stages:
                raise InputError(
                    f"corrector.mode blend has no way from a sample to one that {what}; take "
                    f"mode mixture, or corrector.stages without {stage}"
                )
        check_keep(self.keep)
        for name, least in (("redraws", 0), ("candidates", 1)):
            if getattr(self, name) < least:
                raise InputError(
                    f"corrector.{name} is {getattr(self, name)}; it must be at least {least}"
                )
        drawing = {"cover", *(["verifier"] if self.redraws else [])}
        unseen = drawing.intersection(self.stages[1:])
        if unseen:
            raise InputError(
                f"corrector.stages is {list(self.stages)}: what {min(unseen)} draws anew no stage "
                f"before it sees; put it first"
            )

    def rungs(self) -> CorrectorConfig:
        """The physics, with the rescue budgets of the policy `assist`."""
        if self.on_fall != "assist" or self.tracking.rescue_budgets:
            return self.tracking
        budgets = tuple(b for b in ASSIST if b > self.tracking.assistance_budget)
        return replace(self.tracking, rescue_budgets=budgets)


@dataclass(frozen=True)
class MotionConfig:
    """Settings of the motion task.

    Attributes:
        data: a data set folder made by `motionloop import`; none takes the shipped clips.
        body_model: an SMPL body, .npz or .pkl; none takes the shipped free body.
        windows: real windows that the generator trains on, drawn at random, each with one of its
            clip's captions.
        seconds: length of a window, s.
        fps: frame rate of generator and metrics, Hz.
        stride: time between the starts of windows of one clip, s.
        reference_windows: at most so many windows are the reference, drawn at random where the
            reference clips have more.
        encoder: the encoder of the metrics; none takes the shipped one for the shipped clips,
            and trains one, kept beside the data, for other data.
        evaluator: of text and motion, made by `motionloop evaluator`, or a folder with T2M's own:
            adds the T2M figures.
        device: auto, cpu or cuda.
        threads: of the generator's arithmetic on the CPU. A model as small as the default gains
            little from more than one, and figures are repeated exactly only with the same number.
        generator: the diffusion model.
        corrector: how synthetic motions are corrected.
    """

    data: Path | None = None
    body_model: Path | None = None
    windows: int = 64
    seconds: float = 2.0
    fps: float = 20.0
    stride: float = 0.25
    reference_windows: int = 5000
    encoder: Path | None = None
    evaluator: Path | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 1
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    corrector: MotionCorrectorConfig = field(default_factory=MotionCorrectorConfig)

    def __post_init__(self):
        for name in ("windows", "seconds", "fps", "stride", "reference_windows", "threads"):
            if not getattr(self, name) > 0:
                raise InputError(f"task.{name} is {getattr(self, name)}; it must be positive")


def build(config: MotionConfig, seed: int, display: Display) -> Task[Motions]:
    """The motion task; `seed` draws the training windows."""
    resolve_device(config.device)
    if config.generator.text_encoder:
        text_encoder(config.generator.text_encoder)  # a wrong name is told at once
    torch.set_num_threads(config.threads)
    body = Body.load(config.body_model)
    display.stage(0, "reading clips")
    train, reference, learned = _parts(config, display)
    pool = _plan(train, config, "training").with_every_caption(train)
    chosen, others = _subset(len(pool), config.windows, seed)
    real = pool.draw(train, chosen)
    classes = sorted({caption_class(caption) for caption in real.caption})
    if len(classes) > MANY_CLASSES and not config.generator.text_encoder:
        warnings.warn(
            f"{len(classes)} classes of captions (what stands before the comma) condition the "
            "generator, such as " + repr(classes[0]) + "; task.generator.text_encoder minilm "
            "conditions it on whole captions",
            stacklevel=2,
        )
    encoder = _encoder(config, body, learned, display)

    def draw_real(count: int, rng: np.random.Generator) -> Motions:
        source = others if len(others) else chosen
        return pool.draw(train, source[rng.permutation(len(source))[:count]])

    def make_model(rng: np.random.Generator) -> MotionGenerator:
        frames = real.transl.shape[1]
        rest = body.rest_joints(np.zeros(10))
        model = MotionGenerator(
            config.generator, classes, frames, config.fps, rest, rng, config.device
        )
        model.on_progress = lambda _, done, total: display.progress("", done, total)
        model.projector = projector(tracking)
        for stage in drawing:
            stage.again = model.redraw
        return model

    tracking = TrackingCorrector(body.skeleton, config.corrector.rungs())
    noted: list[Corrections] = []
    drawing: list[Content[Motions] | Cover[Motions]] = []
    physics = MotionCorrector(
        tracking,
        body,
        config.corrector.on_fall,
        lambda done, total: display.progress("", done, total),
        noted.append,
    )

    def stage(name: Stage) -> Corrector[Motions]:
        if name == "physics":
            return physics
        if name == "cover":
            made = Cover(
                real,
                lambda motions: content_features(motions, body),
                lambda motions: motions.caption,
                config.corrector.candidates,
                config.corrector.keep,
            )
        else:
            display.stage(0, "training the verifier")
            known = pool.draw(train, np.arange(len(pool)))
            judge = MotionClassifier(known, body).classify
            made = Content(judge, classes_of, config.corrector.redraws)
        drawing.append(made)
        return made

    corrector = Chain(*map(stage, config.corrector.stages))
    metrics = MotionMetrics(body, encoder)
    by_text = (
        [TextMotionMetrics(body, load_evaluator(config.evaluator))] if config.evaluator else []
    )
    definitions = {**metrics.describe(), "body": f"{body.name}, sha256 {body.sha256}"}
    for text_metrics in by_text:
        definitions |= text_metrics.describe()
    return Task(
        real=real,
        reference=_reference(reference, config),
        make_model=make_model,
        corrector=Strength(corrector, config.corrector.gamma, config.corrector.mode),
        metrics=(metrics, Memorisation(body, real), *by_text),
        draw_real=draw_real,
        definitions=definitions,
        preview=lambda samples, path: _preview(samples, path, body),
        film=lambda samples, path: _film(samples, path, body),
        figures=lambda samples: _figures(samples, body),
        corrections=lambda: noted.pop() if noted else None,
    )


def _parts(config: MotionConfig, display: Display) -> tuple[ClipStore, ClipStore, ClipStore]:
    """The clips that the generator trains on, the reference's, and the encoder's."""
    clips = ClipStore.open(
        config.data or CLIPS, lambda done, total: display.progress("", done, total)
    )
    names = split(clips.entries)
    part: dict[str, list[int]] = {"train": [], "reference": []}
    for number, entry in enumerate(clips.entries):
        part.setdefault(names[entry["name"]], []).append(number)
    train, reference = part["train"], part["reference"]
    if not train or not reference:
        raise InputError(
            f"{config.data or CLIPS} has {len(clips)} clips, too few for a training and a "
            "reference part; import more clips"
        )
    # A small set has no clips to spare: the encoder then learns from the reference's.
    learned = part.get("encoder", reference)
    parts = (clips.subset(numbers).stretches() for numbers in (train, reference, learned))
    train, reference, learned = parts
    return train, reference, learned


def _plan(clips: ClipStore, config: MotionConfig, purpose: str) -> WindowPlan:
    """Where all windows of some clips lie; there is at least one."""
    plan = WindowPlan.of(clips, config.seconds, config.fps, config.stride)
    if plan.skipped:
        warnings.warn(
            f"{len(plan.skipped)} {purpose} clips are shorter than half a window and left out: "
            + ", ".join(plan.skipped[:5])
            + (", ..." if len(plan.skipped) > 5 else ""),
            stacklevel=2,
        )
    if len(plan) == 0:
        raise InputError(
            f"none of the {len(clips)} {purpose} clips is as long as a window of "
            f"{config.seconds:g} s; lower task.seconds"
        )
    return plan


def _reference(clips: ClipStore, config: MotionConfig) -> Motions:
    """The windows of the reference; the same ones for every seed."""
    plan = _plan(clips, config, "reference")
    plan = plan.with_random_captions(clips, np.random.default_rng(0))
    if len(plan) <= config.reference_windows:
        return plan.draw(clips)
    order = np.random.default_rng(0).permutation(len(plan))
    return plan.draw(clips, np.sort(order[: config.reference_windows]))


def _subset(count: int, wanted: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the training windows, and the other rows of the pool."""
    if wanted > count:
        raise InputError(
            f"task.windows is {wanted}, but the training clips have {count} windows; "
            "lower task.windows or task.stride, or import more clips"
        )
    order = np.random.default_rng([seed, 1]).permutation(count)
    return np.sort(order[:wanted]), np.sort(order[wanted:])


def _encoder(config: MotionConfig, body: Body, clips: ClipStore, display: Display) -> MotionEncoder:
    """The encoder named, the shipped one, the one kept beside the data, or a new one."""
    if config.encoder is not None:
        return MotionEncoder.load(config.encoder)
    if config.data is None:
        return MotionEncoder.shipped()
    kept = config.data / f"encoder_{config.seconds:g}s_{config.fps:g}fps.safetensors"
    if kept.is_file():
        return MotionEncoder.load(kept)
    display.stage(0, "training the encoder of the metrics")
    # Its own seed, not the experiment's: all runs on this data share the encoder.
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(len(clips))[:ENCODER_CLIPS])
    read = [clips.clip(n, 0, round(ENCODER_SECONDS * float(clips.fps[n]))) for n in chosen]
    motions = Motions.pack([clip.resample(config.fps) for clip in read])
    encoder = MotionEncoder.fit(motions, body.joints(motions), rng)
    encoder.save(kept)
    return MotionEncoder.load(kept)


def _preview(samples: Motions, path: Path, body: Body) -> Path:
    """A strip of pictures of three samples."""
    from motionloop.viewer.render import render

    clips = samples[:3].unpack()
    titles = [clip.caption for clip in clips]
    # No graphics driver in the loop's process: a driver that crashes would take the run along.
    return render(clips, path.with_suffix(".png"), body, titles, renderer="software")


def _film(samples: Motions, path: Path, body: Body) -> Path:
    """A video of the first sample of each of the first three classes, by the alphabet."""
    from motionloop.viewer.render import render

    names = np.array([caption_class(caption) for caption in samples.caption])
    rows = [int(np.flatnonzero(names == name)[0]) for name in sorted(set(names))[:3]]
    clips = samples[np.array(rows)].unpack()
    titles = [clip.caption for clip in clips]
    file = path.with_suffix(".mp4")
    return render(clips, file, body, titles, (240 * len(clips), 300), renderer="software")


def _figures(samples: Motions, body: Body) -> dict[str, np.ndarray]:
    """Caption and physical errors of every sample."""
    rows = plausibility(samples.unpack(), body)
    errors = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    return {"index": samples.index, "caption": samples.caption, **errors}
