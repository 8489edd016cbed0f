"""The command line is drawn from the recipe."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from impasto.cli import main, stylize
from impasto.recipe.still import Recipe


@pytest.fixture
def parsed(monkeypatch):
    """What a command line asks for, without making it."""
    seen = {}

    def command(content, styles, recipe, output, wishes, **options):
        seen.update(content=content, styles=styles, recipe=recipe, output=output, **options)
        seen.update(vars(wishes))
        return 0

    monkeypatch.setattr(stylize, "stylize_command", command)

    def parse(*words: str):
        seen.clear()
        assert main(["stylize", "photo.jpg", "one.jpg", *words]) == 0
        return seen

    return parse


def test_nothing_asked_for_is_the_recipe_s_own_defaults(parsed):
    seen = parsed()
    assert seen["recipe"] == Recipe()
    assert [str(path) for path in (seen["content"], *seen["styles"])] == ["photo.jpg", "one.jpg"]
    assert (seen["output"], seen["overwrite"], seen["preview"], seen["quiet"]) == (
        None, False, None, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--strength 0.75", {"strength": 0.75}),
        ("--size 300 --seed 9", {"size": 300, "seed": 9}),
        ("two.jpg --blend 0.7,0.3", {"blend": (0.7, 0.3)}),
        ("--steps 150,100,60", {"steps": (150, 100, 60)}),
        ("--steps 20", {"steps": (20,)}),
        ("--style-layers relu1_1,conv3_1", {"style_layers": ("conv1_1", "conv3_1")}),
        ("--layer-weights 1,2,3,4,.5", {"layer_weights": (1, 2, 3, 4, 0.5)}),
        ("--layer-weights falling --style-loss w2", {
            "layer_weights": "falling", "style_loss": "w2",
        }),
        ("--style-scale 0.7,1.4 --average .9 --match-color", {
            "style_scale": (0.7, 1.4), "average": 0.9, "match_color": True,
        }),
        ("--style-scale 2", {"style_scale": 2.0}),
        ("--alpha 1e-3 --beta 2", {"alpha": 1e-3, "beta": 2.0}),
        ("--preserve-color luminance", {"preserve_color": "luminance"}),
        ("--optimizer adam --learning-rate .1", {"optimizer": "adam", "learning_rate": 0.1}),
        ("--precision bf16 --device cpu --threads 2", {
            "precision": "bf16", "device": "cpu", "threads": 2,
        }),
        ("--network vgg19 --weights w.safetensors --pooling avg", {
            "network": "vgg19", "weights": "w.safetensors", "pooling": "avg",
        }),
        ("--init start.png --tv 0.1", {"init": "start.png", "tv": 0.1}),
    ],
)  # fmt: skip
def test_options_reach_the_recipe(words, expected, parsed):
    assert parsed(*words.split())["recipe"] == Recipe(**expected)


def test_a_painting_more_may_follow(parsed):
    seen = parsed("two.jpg", "-o", "out.png", "--overwrite", "-q", "--preview", "5")
    assert [str(path) for path in seen["styles"]] == ["one.jpg", "two.jpg"]
    assert str(seen["output"]) == "out.png"
    assert (seen["overwrite"], seen["quiet"], seen["preview"]) == (True, True, 5)


def test_help_names_every_option_of_the_recipe(capsys):
    assert main(["stylize", "--help"]) == 0
    text = capsys.readouterr().out
    for item in dataclasses.fields(Recipe):
        assert f"--{item.name.replace('_', '-')}" in text
        assert " ".join(item.metadata["help"].split()[:2]) in " ".join(text.split())
        assert item.metadata["group"] in text


@pytest.mark.parametrize("words", [["--help"], ["stylize", "--help"], ["--version"]])
def test_help_imports_no_torch(words):
    code = (
        "import sys\nfrom impasto.cli import main\n"
        f"assert main({words!r}) == 0\n"
        "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
