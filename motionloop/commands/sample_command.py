"""Draw new samples from a run's model; motions as a data set that other commands read.

motionloop sample runs/motion --n 8 --out new_motions
motionloop sample runs/motion --generation 3 --text "a person walks" --seconds 2
motionloop sample runs/texts --text "a person walks, exhausted" --seconds 4 --n 4 --guidance 2.5
motionloop sample runs/motion --projections 4    physics inside sampling
A run that was trained on classes takes what stands before the comma; one that was trained with
--text_encoder takes the whole text, and also text that it was not trained on.
Of a run of another task it writes samples.npz, and a picture where the task draws one:
motionloop sample runs/digits --n 100
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from motionloop.experiment import Experiment, load
from motionloop.launch import save_json
from motionloop.loop.controller import SilentDisplay
from motionloop.loop.run_directory import RunDirectory
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--out", type=Path, help="the new folder (default: RUN/samples_gG_seedS)")
    parser.add_argument("--n", type=int, default=8, help="how many (default: 8)")
    parser.add_argument("--generation", type=int, help="whose model (default: the last)")
    parser.add_argument(
        "--text", "--caption", help="what they show (default: the training captions)"
    )
    parser.add_argument("--guidance", type=float, help="how hard to follow it (default: the run's)")
    parser.add_argument(
        "--projections",
        type=int,
        help="of the last sampling steps onto physics, as PhysDiff (default: the run's)",
    )
    parser.add_argument("--seconds", type=float, help="length (default: as the training clips)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the list here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Sample and write."""
    from rich.console import Console

    from motionloop.commands.progress import counting

    directory = RunDirectory(_check_run(args.run))
    complete = directory.complete()
    if not complete:
        raise InputError(f"{args.run} has no complete generation yet")
    if args.n < 1:
        raise InputError(f"--n is {args.n}; it must be at least 1")
    g = complete[-1] if args.generation is None else args.generation
    out = args.out or args.run / f"samples_g{g}_seed{args.seed}"
    experiment = load(str(args.run / "config.yaml"))
    if experiment.task_name != "motion":
        _any_task(experiment, directory.model_file(g), out, args)
        return
    from motionloop.motion.body import Body
    from motionloop.motion.correction import projector
    from motionloop.motion.dataset import write_dataset
    from motionloop.motion.generator import MotionGenerator
    from physics.corrector import TrackingCorrector

    model = MotionGenerator.from_file(directory.model_file(g), device=args.device)
    if args.guidance is not None:
        model.config = replace(model.config, guidance=args.guidance)
    if args.projections is not None:
        model.config = replace(model.config, projections=args.projections)
    if model.config.projections:
        body = Body.load(experiment.task.body_model)
        tracking = TrackingCorrector(body.skeleton, experiment.task.corrector.rungs())
        model.projector = projector(tracking)
    rng = np.random.default_rng(args.seed)
    with counting("sampling") as progress:
        model.on_progress = lambda what, done, total: progress(done, total)
        if args.text is None and args.seconds is None:
            motions = model.sample(args.n, rng)
        else:
            motions = _asked(model, args, rng)
    clips = {f"sample_{n:04d}": clip for n, clip in enumerate(motions.unpack())}
    entries = write_dataset(out, clips, source=f"{args.run}, generation {g}, seed {args.seed}")
    console = Console()
    console.print(f"{len(clips)} motions of generation {g} in {out}", soft_wrap=True)
    if args.text is not None:
        console.print(_understood(model, args.text), soft_wrap=True, markup=False, highlight=False)
    save_json(args.json, entries)


def _any_task(experiment: Experiment, model_file: Path, out: Path, args: argparse.Namespace):
    """Samples of a task that has no motions."""
    given = [
        f"--{name}"
        for name in ("text", "guidance", "seconds", "projections")
        if getattr(args, name)
    ]
    if given:
        raise InputError(f"{given[0]} is for motions; {args.run} is of {experiment.task_name}")
    if out.exists():
        raise InputError(f"{out} exists; name another folder with --out")
    task = experiment.build(SilentDisplay())
    rng = np.random.default_rng(args.seed)
    model = task.make_model(rng)
    model.load(model_file)
    samples = model.sample(args.n, rng)
    samples.save(out / "samples.npz")
    if task.preview is not None:
        task.preview(samples, out / "preview")
    print(f"{len(samples)} samples in {out}")
    save_json(args.json, {"samples": str(out / "samples.npz"), "count": len(samples)})


def _understood(model, text: str) -> str:
    """What of a text conditioned the model."""
    from motionloop.motion.motions import caption_class

    if model.text is not None:
        known = text in model.captions
        return f"text read by {model.text.name}" + ("" if known else "; it was not trained on it")
    return f"this model knows classes: {caption_class(text)!r}"


def _asked(model, args: argparse.Namespace, rng: np.random.Generator):
    drawn = model.sample_plan(args.n, rng)
    captions = [args.text] * args.n if args.text is not None else drawn[0]
    lengths = drawn[1]
    if args.seconds is not None:
        frames = round(args.seconds * model.fps)
        if not 1 <= frames <= model.frames:
            longest = model.frames / model.fps
            raise InputError(f"--seconds is {args.seconds}; this model makes up to {longest:g} s")
        lengths = np.full(args.n, frames)
    return model.sample_captions(captions, lengths, rng)


def _check_run(path: Path) -> Path:
    """The path of a run folder.

    Raises:
        InputError: it is none.
    """
    if not (path / "config.yaml").is_file():
        raise InputError(f"{path} is not a run folder (it has no config.yaml)")
    return path
