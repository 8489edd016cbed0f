"""The panel: a good result has no fault, and each fault is named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from skimage import data
from torch import Tensor

import impasto
from impasto.errors import PictureError, RecipeError, WeightsError
from impasto.evaluate.panel import LAYERS, Panel, Trio, align, figures_of, measure
from impasto.experiments.inputs import EXAMPLE_PAINTING
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.records.read import parse_record
from impasto.files.weights.store import COMPACT_FILE, load_network
from impasto.ops.inits import resize
from impasto.ops.metrics import frame_share

STYLE = "far from the painting's style"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Path]:
    """A result that looks right, its photograph and its painting."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("made")
    Image.fromarray(data.astronaut()).resize((160, 160)).save(folder / "photo.png")
    result = impasto.stylize(folder / "photo.png", EXAMPLE_PAINTING, size=160, steps=(60, 40))
    result.save(folder / "result.png")
    return folder / "result.png", folder / "photo.png", EXAMPLE_PAINTING


@pytest.fixture(scope="module")
def trio(made) -> Trio:
    return align([read_picture(path) for path in made], None)


@pytest.fixture(scope="module")
def faults_of(trio) -> Callable[[Trio], tuple[str, ...]]:
    network = load_network(impasto.Recipe()).network
    return lambda found: Panel("", {}, tuple(figures_of(found, network))).faults


def test_a_good_result_has_no_fault(made):
    panel = measure(*made)
    assert panel.faults == ()
    assert 0.3 < panel["ms-ssim"] < 1
    assert all(panel[f"{name} {layer}"] < 0.7 for name in ("gram", "w2") for layer in LAYERS)


def _checkerboard(image: Tensor) -> Tensor:
    row, column = torch.arange(image.shape[-2])[:, None], torch.arange(image.shape[-1])
    return (image + 0.08 * (-1.0) ** (row + column)).clamp(0, 1)


def _ringing(image: Tensor) -> Tensor:
    wave = torch.sin(2 * math.pi * torch.arange(image.shape[-1]) / 3)
    return (image + 0.12 * wave).clamp(0, 1)


def _noise(image: Tensor) -> Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + 0.16 * noise).clamp(0, 1)


def _grey_patch(image: Tensor) -> Tensor:
    spoilt = image.clone()
    spoilt[..., 32:112, 32:112] = 0.5
    return spoilt


def _washed_out(image: Tensor) -> Tensor:
    return 0.55 + 0.3 * (image - 0.5)


def _shuffled(image: Tensor) -> Tensor:
    blocks = image.reshape(3, 5, 32, 5, 32).permute(1, 3, 0, 2, 4).reshape(25, 3, 32, 32)
    mixed = blocks[torch.randperm(25, generator=torch.Generator().manual_seed(0))]
    return mixed.view(5, 5, 3, 32, 32).permute(2, 0, 3, 1, 4).reshape(1, 3, 160, 160)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_checkerboard, "noise or ringing"),
        (_ringing, "noise or ringing"),
        (_noise, "noise or ringing"),
        (_grey_patch, "flat patches"),
        (_washed_out, "colours are not the painting's"),
        (_shuffled, "content lost"),
    ],
)
def test_each_fault_is_named(spoil, fault, trio, faults_of):
    assert fault in faults_of(replace(trio, result=spoil(trio.result)))


def _with_rim(image: Tensor, width: int = 4) -> Tensor:
    framed = 0.6 * image
    framed[..., width:-width, width:-width] = image[..., width:-width, width:-width]
    return framed


def test_a_frame_is_named_but_where_the_photograph_has_it(trio, faults_of):
    framed = _with_rim(trio.result)
    assert "a frame" in faults_of(replace(trio, result=framed))
    content = _with_rim(trio.content)
    assert "a frame" not in faults_of(replace(trio, result=framed, content=content))


def test_a_texture_is_no_frame(trio, faults_of):
    painting = resize(trio.style, 160, 160)
    assert "a frame" not in faults_of(replace(trio, result=painting))


def test_small_pictures_have_no_figure_for_a_frame(trio):
    network = load_network(impasto.Recipe()).network
    small = Trio(*(resize(each, 64, 64) for each in (trio.result, trio.content, trio.style)))
    assert "frame" not in {each.name for each in figures_of(small, network)}
    assert "frame" in {each.name for each in figures_of(trio, network)}


@pytest.mark.slow
def test_the_margin_is_what_keeps_a_result_without_a_frame(made):
    _, photo, painting = made
    options = {"size": 160, "steps": (60, 40), "threads": 1}
    plain, with_margin = (
        frame_share(impasto.stylize(photo, painting, margin=margin, **options).tensor)
        for margin in (0, impasto.Recipe().margin)
    )
    assert with_margin > 0.05
    assert plain < with_margin / 2


def test_the_photograph_itself_is_far_from_the_style(trio, faults_of):
    assert STYLE in faults_of(replace(trio, result=trio.content))


def test_another_style_is_far_from_the_style(trio, faults_of):
    other = torch.from_numpy(data.coffee() / np.float32(255)).permute(2, 0, 1)[None]
    assert STYLE in faults_of(replace(trio, style=resize(other, *trio.style.shape[-2:])))


@pytest.mark.slow
def test_over_represented_colors_are_named(trio, faults_of):
    """A painting that is half the photograph: a result has only what tells it from that."""
    painting = resize(trio.style, 160, 160)
    style = torch.cat([trio.content, painting], dim=-1)
    assert "the painting's colours over-represented" in faults_of(
        Trio(painting, trio.content, style)
    )
    assert "the painting's colours over-represented" not in faults_of(
        Trio(style[..., ::2], trio.content, style)
    )


def test_having_the_photographs_colors_is_no_fault_where_they_were_asked_for(made, tmp_path):
    _, photo, painting = made
    result = impasto.stylize(
        photo, painting, size=96, scales=1, steps=(12,), preserve_color="luminance",
        method="statistics",
    )  # fmt: skip
    path = result.save(tmp_path / "kept.png")
    fault = "colours are not the painting's"
    assert fault not in measure(path, photo, painting).faults
    (tmp_path / "kept.json").unlink()
    Image.fromarray(np.array(result.image)).save(path)  # without a record nobody asked for them
    assert fault in measure(path, photo, painting).faults


def test_sizes_are_those_of_the_record(made):
    """The painting at the style scale nearest to 1; then a part of the picture."""
    _, photo, painting = made
    job = impasto.Stylizer().job(
        photo, painting, size=160, style_scale=(0.3, 0.5), steps=(1,), scales=1
    )
    for _ in job:
        pass
    result = job.result()
    record = parse_record(result.record, "result.png")
    pictures = [read_picture(result.image), read_picture(photo), read_picture(painting)]
    assert max(align(pictures, record).style.shape) == 80
    assert max(align(pictures, None).style.shape) == 160
    unknown = [*pictures[:2], pictures[1]]  # not the painting that the record names
    assert max(align(unknown, record).style.shape) == 160
    window = (10, 20, 64, 96)
    assert record.plan
    stage = replace(record.plan.stages[-1], window=window)
    record = replace(record, plan=replace(record.plan, stages=(stage,)))
    part = Picture(pictures[0].tensor[..., 10:74, 20:116], "part", "")
    found = align([part, *pictures[1:]], record)
    torch.testing.assert_close(found.content, pictures[1].tensor[..., 10:74, 20:116])


@pytest.mark.slow
def test_who_judged_and_whether_it_made_the_picture(made, tmp_path, monkeypatch, tiny_tensors):
    monkeypatch.setenv("IMPASTO_MODELS", str(tmp_path))
    facts = measure(*made).facts
    assert facts["network"] == "compact, which also made the result"
    assert facts["layers"] == "conv1_2, conv2_2, conv3_2, conv4_3 (conv2_2, conv3_2 optimised)"
    facts = measure(*made, layers=["conv1_1", "relu2_2"]).facts
    assert facts["layers"] == "conv1_1, conv2_2 (conv1_1, conv2_2 optimised)"
    deep = tiny_tensors((64, 8, 8, 8, 8), last="conv1_2")
    save_file(deep, tmp_path / "blocks.safetensors")
    facts = measure(*made, network=str(tmp_path / "blocks.safetensors")).facts
    unknown = "weights of unknown origin, which did not make the result"
    assert facts["network"] == f"vgg19 (blocks.safetensors), {unknown}"
    assert facts["layers"] == "conv1_2 (none optimised)"
    save_file(deep, tmp_path / "vgg19.safetensors")
    assert measure(*made).facts["network"] == f"vgg19, {unknown}"


def test_layers_that_an_instant_picture_was_matched_by_are_told(made, tmp_path):
    _, photo, painting = made
    path = impasto.stylize(photo, painting, size=64, quality="instant").save(tmp_path / "i.png")
    told = "conv1_2, conv2_2, conv3_2, conv4_3 (conv1_2, conv2_2, conv3_2 matched by)"
    assert measure(path, photo, painting).facts["layers"] == told


def test_a_copy_of_the_bundled_network_is_known_as_such(made, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(COMPACT_FILE.read_bytes())
    facts = measure(*made, network=str(tmp_path / "mine.safetensors")).facts
    assert facts["network"] == "compact (mine.safetensors), which also made the result"


def test_a_network_of_ones_own(made):
    class Edges:
        layers = ("edges",)

        def features(self, image, layers):
            return {name: F.relu(image.diff(dim=-1)) for name in layers}

    panel = measure(*made, network=Edges())
    assert panel.facts["network"].endswith("Edges, which did not make the result")
    assert panel["gram edges"] < 1


def test_plain_values(made):
    """What is not a number is None, as where photograph and painting are one."""
    _, photo, _ = made
    values = json.loads(json.dumps(measure(photo, photo, photo).as_dict(), allow_nan=False))
    assert values["figures"]["style colors"]["value"] is None
    assert values["subject"] == "photo.png"
    assert set(values["figures"]["ms-ssim"]) == {"value", "photograph", "painting", "fault"}


def test_what_cannot_be_measured(made, tmp_path):
    result, photo, painting = made
    wide = tmp_path / "wide.png"
    Image.new("RGB", (200, 100)).save(wide)
    with pytest.raises(PictureError, match="photograph that it was made from"):
        measure(result, wide, painting)
    small = tmp_path / "small.png"
    Image.new("RGB", (24, 24)).save(small)
    with pytest.raises(PictureError, match="32 x 32"):
        measure(small, photo, painting)
    with pytest.raises(RecipeError, match="no layer"):
        measure(*made, layers=["conv9_9"])
    for content in (b"", b"nothing"):
        (tmp_path / "no.safetensors").write_bytes(content)
        with pytest.raises(WeightsError):
            measure(*made, network=str(tmp_path / "no.safetensors"))
    with pytest.raises(WeightsError, match="check the name"):
        measure(*made, network="vgg20")
