"""Train the start from which ``impasto train`` begins: ``python -m training.painter_start``.

A network for sixteen pictures that are painted by program (:mod:`training.painted`), so that no
painting has been seen; what it has learnt of all of them, it has not to learn of the next. About
55 minutes on one core. The photographs are those of the other trainings.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from impasto.engine.training import Training
from impasto.files.weights.painter_start import FORMAT, START_FILE
from impasto.jobs.running import carry_out
from impasto.jobs.train import TrainJob
from impasto.ops.inits import resize
from training.data import load, photo_paths, procedural, recolour
from training.painted import painted

PAINTINGS, SIDE, EVERY, SEED = 16, 448, 37, 1000


def made_painting(number: int, photos: Sequence[Path]) -> Tensor:
    """A painting by program, uint8 ``(3, H, W)``: of a photograph, every fourth of a pattern."""
    gen = torch.Generator().manual_seed(SEED + number)
    picture = load(photos[number * EVERY % len(photos)])
    ground = (resize(picture[None].float() / 255, SIDE, SIDE)[0] * 255).round().byte()
    if number % 4 == 3:
        ground = (procedural(gen, SIDE) * 255).byte()
    colours = recolour(gen, painted(gen, ground).float() / 255)
    return (colours.clamp(0, 1) * 255).round().byte()


def start_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A trained network's tensors as a start: half precision, the paintings' own as their mean."""
    own = {name.removeprefix("painter."): value for name, value in tensors.items()}
    norms = (".gain", ".offset")
    return {
        name: (value.mean(0, keepdim=True) if name.endswith(norms) else value).half().contiguous()
        for name, value in own.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint the paintings, train, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--folder", type=Path, default=Path("out/training/painter"))
    parser.add_argument("--output", type=Path, default=START_FILE)
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    photos = photo_paths(given.photos, held=False)
    paintings = [given.folder / f"{number:02}.png" for number in range(PAINTINGS)]
    for number, path in enumerate(paintings):
        Image.fromarray(np.asarray(made_painting(number, photos).permute(1, 2, 0))).save(path)
    training = Training(rate=3e-3, scratch=True)
    job = TrainJob(paintings, given.photos, minutes=given.minutes, training=training)
    carry_out(job, lambda state: print(state.step, state.losses, flush=True))
    whole = given.folder / "whole.safetensors"
    job.save(whole)
    write_start(whole, given.output)


def write_start(trained: Path, output: Path) -> None:
    """Write a start of a trained network's file."""
    digest = hashlib.sha256(trained.read_bytes()).hexdigest()
    about = {"format": FORMAT, "licence": "CC-BY-4.0", "of_sha256": digest}
    save_file(start_of(load_file(trained)), output, about)


if __name__ == "__main__":
    main()
