"""Train the judge of text and motion on a data set's real clips.

  motionloop evaluator my_set                            writes my_set/evaluator.safetensors
  motionloop evaluator my_set --text_encoder minilm      captions read by a sentence encoder
  motionloop evaluate samples my_set --evaluator my_set/evaluator.safetensors
It learns from the part `encoder` of the split, which no generator trains on, and then judges the
real clips of the part `reference`: the row that a perfect generator would get.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from motionloop.launch import save_json
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="a data set folder")
    parser.add_argument("--out", type=Path, help="default: DATA/evaluator.safetensors")
    parser.add_argument("--text_encoder", default="words", help="words, minilm or a folder")
    parser.add_argument(
        "--parts", nargs="+", default=["encoder"], help="of the split (default: encoder)"
    )
    parser.add_argument("--steps", type=int, help="optimiser steps (default: 600)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the result here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Train, save, and judge real motion."""
    import torch
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.metrics.evaluator_training import fit_on_dataset, real_scores
    from motionloop.metrics.t2m_protocol import MEANING, Protocol
    from motionloop.metrics.text_motion_network import EvaluatorConfig
    from motionloop.motion.body import Body

    torch.set_num_threads(1)
    if args.steps is not None and args.steps < 1:
        raise InputError(f"--steps is {args.steps}; it must be at least 1")
    config = EvaluatorConfig(text_encoder=args.text_encoder)
    if args.steps:
        config = EvaluatorConfig(text_encoder=args.text_encoder, steps=args.steps)
    body = Body.load(args.body_model)
    with counting("training the evaluator") as progress:
        made = fit_on_dataset(args.data, body, config, args.parts, args.seed, progress)
    out = args.out or args.data / "evaluator.safetensors"
    made.save(out)
    console = Console()
    console.print(f"{made.name} in {out}", soft_wrap=True, highlight=False)
    found = real_scores(made, args.data, body)
    protocol = Protocol()
    console.print(f"real clips of the part `reference`; {protocol.name}", highlight=False)
    for name, value in found.items():
        line = f"  {name:18s}{value.value:8.3f}  ({value.low:.3f} to {value.high:.3f})  "
        console.print(line + MEANING[name], soft_wrap=True, highlight=False, markup=False)
    save_json(
        args.json,
        {
            "evaluator": made.name,
            "text_encoder": made.text.name,
            "training": made.training,
            "protocol": protocol.name,
            "real": {name: asdict(value) for name, value in found.items()},
        },
    )
