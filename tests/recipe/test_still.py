"""The recipe: what it accepts, and what it says to what it does not."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import ImpastoError, RecipeError
from impasto.recipe.checks import canonical_layer
from impasto.recipe.still import (
    TEXTURE,
    Recipe,
    options_not_for,
    options_of_network,
)
from impasto.recipe.strength import strength_for, style_share


def test_every_option_has_an_explanation_and_a_heading():
    for item in dataclasses.fields(Recipe):
        assert len(item.metadata["help"]) > 8, item.name
        assert item.metadata["group"], item.name


@pytest.mark.parametrize(
    ("use", "names"),
    [
        ("texture", "strength content_layers init size print fit crop_preview alpha beta "
                    "preserve_color match_color neighbours protect protect_amount "
                    "photorealistic restore"),
        ("film", "print fit dpi crop_preview tileable neighbours photorealistic restore"),
        ("grid", "method network weights size print fit dpi crop_preview depth max_pixels protect "
                 "protect_amount regions style_regions photorealistic restore"),
        ("instant", "init alpha beta tv content_layers style_layers layer_weights style_loss "
                    "optimizer history learning_rate average tile neighbours method "
                    "photorealistic restore"),
        ("graded", "method style_scale preserve_color match_color tileable init neighbours seed "
                   "alpha beta tv network weights raw_weights pooling content_layers style_layers "
                   "layer_weights style_loss margin optimizer history learning_rate scales steps "
                   "quality average precision tile crop_preview"),
    ],
)  # fmt: skip
def test_the_options_that_mean_nothing_in_a_use(use, names):
    assert sorted(options_not_for(use)) == sorted(names.split())


def test_a_trained_network_knows_what_says_so():
    known = "size print fit dpi depth max_pixels blend preserve_color device precision threads"
    others = {item.name for item in dataclasses.fields(Recipe)} - set(options_not_for("trained"))
    assert others == set(known.split())


def test_what_a_texture_settles_cannot_be_given():
    assert set(TEXTURE) <= set(options_not_for("texture"))


def test_the_options_that_make_a_network():
    assert options_of_network() == ("network", "weights", "raw_weights", "pooling")


def test_a_recipe_is_frozen_and_compares_by_value():
    recipe = Recipe(strength=0.25)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.strength = 0.5
    assert recipe == Recipe(strength=0.25)
    assert recipe != Recipe(strength=0.26)


CHANNELS = (64, 128, 256, 512, 512)  # of VGG-19's style layers


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style_scale": ()}, "--style-scale"),
        ({"style_scale": (1.0, 30.0)}, "--style-scale must lie between"),
        ({"average": 1.0}, "--average must be at least 0 and below 1"),
        ({"style_loss": "mmd"}, "--style-loss 'mmd' is unknown: choose from gram, gram+mean-std"),
        ({"layer_weights": "rising"}, "'rising' is unknown: choose from equal, gatys, falling"),
        ({"match_color": True, "preserve_color": "luminance"}, "--match-color and --preserve-"),
        ({"strength": 1.01}, "--strength must lie between 0 and 1"),
        ({"strength": -0.1}, "--strength"),
        ({"strength": math.nan}, "--strength must be a finite number"),
        ({"tv": math.inf}, "--tv must be a finite number"),
        ({"tv": -1.0}, "--tv must not be negative"),
        ({"size": 15}, "--size must be at least 16"),
        ({"style_scale": 0.0}, "--style-scale"),
        ({"alpha": -1.0}, "--alpha and --beta"),
        ({"beta": math.nan}, "--beta must be a finite number"),
        ({"history": 0}, "--history"),
        ({"learning_rate": 0.0}, "--learning-rate"),
        ({"scales": 0}, "--scales"),
        ({"threads": 0}, "--threads"),
        ({"device": "tpu"}, "--device 'tpu' is unknown: choose from auto, cpu, cuda, mps"),
        ({"precision": "fp8"}, "--precision 'fp8'"),
        ({"preserve_color": "hue"}, "--preserve-color 'hue'"),
        ({"optimizer": "muon"}, "--optimizer 'muon' is unknown: choose from lbfgs, adam"),
        ({"pooling": "min"}, "--pooling 'min' is unknown: choose from max, avg"),
        ({"network": "vgg16"}, "--network 'vgg16'"),
        ({"style_layers": ()}, "--style-layers needs at least one"),
        ({"content_layers": ("conv1_1", "relu1_1")}, "--content-layers names a layer twice"),
        ({"layer_weights": (1.0, 2.0)}, "--layer-weights has 2 numbers for 5 style layers"),
        ({"layer_weights": (0.0,) * 5}, "--layer-weights needs"),
        ({"layer_weights": (1.0, 1.0, 1.0, 1.0, math.nan)}, "--layer-weights must be a finite"),
        ({"blend": (0.5, -0.5)}, "--blend needs numbers of at least 0"),
        ({"blend": ()}, "--blend needs"),
        ({"steps": ()}, "--steps needs"),
        ({"steps": (5, -1)}, "--steps needs"),
        ({"steps": (5, 4, 3), "scales": 2}, "--steps has 3 numbers for 2 scales"),
        ({"seed": 2**64}, "--seed"),
    ],
    ids=str,
)
def test_what_is_out_of_range_is_said_in_one_sentence(options, words):
    with pytest.raises(RecipeError) as caught:
        Recipe(**options)
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert isinstance(caught.value, ImpastoError)


def test_the_edges_of_the_ranges_are_in():
    for options in (
        {"strength": 0.0},
        {"strength": 1.0},
        {"size": 16},
        {"alpha": 0.0, "beta": 0.0},
        {"steps": (0,)},
        {"blend": (0.0, 1.0)},
        {"seed": 2**63 - 1},
        {"steps": (3,), "scales": 4},
    ):
        Recipe(**options)


def test_relu_stands_for_conv():
    recipe = Recipe(content_layers=("relu4_2",), style_layers=("relu1_1", "conv2_1"))
    assert recipe.content_layers == ("conv4_2",)
    assert recipe.style_layers == ("conv1_1", "conv2_1")
    assert canonical_layer("relu5_4") == "conv5_4"
    assert canonical_layer("conv5_4") == "conv5_4"


def test_layer_weights_are_the_report_s_or_as_given():
    equal = Recipe(layer_weights="equal")
    assert equal.weights_of_layers(CHANNELS) == pytest.approx((0.2,) * 5)  # the report's w_l
    assert equal.weights_of_layers((3, 5)) == (0.5, 0.5)
    given_weights = Recipe(layer_weights=(1, 2, 3, 4, 5)).weights_of_layers(CHANNELS)
    assert given_weights == (1, 2, 3, 4, 5)  # as given, not normalised


def test_layer_weights_by_name():
    gatys = Recipe(layer_weights="gatys").weights_of_layers(CHANNELS)
    assert gatys == pytest.approx((1e3 / 4096, 1e3 / 16384, 1e3 / 65536, 1e3 / 2**18, 1e3 / 2**18))
    falling = Recipe(layer_weights="falling").weights_of_layers(CHANNELS)
    assert sum(falling) == pytest.approx(1)
    assert [w / falling[-1] for w in falling] == pytest.approx([256, 64, 16, 4, 1])


def test_one_style_scale_or_several():
    assert Recipe(style_scale=(0.5,)) == Recipe(style_scale=0.5)
    assert Recipe(style_scale=0.5).style_scales == (0.5,)
    assert Recipe(style_scale=(0.7, 1.0, 1.4)).style_scales == (0.7, 1.0, 1.4)


def test_shares_add_up_to_one():
    assert Recipe().blend_for(4) == (0.25,) * 4
    assert Recipe(blend=(3.0, 1.0)).blend_for(2) == (0.75, 0.25)
    with pytest.raises(RecipeError, match="2 shares for 1 painting: give one share for each"):
        Recipe(blend=(3.0, 1.0)).blend_for(1)
    with pytest.raises(RecipeError, match=r"1 share for 3 paintings"):
        Recipe(blend=(1.0,)).blend_for(3)


def test_alpha_or_beta_replace_the_strength():
    assert not Recipe().uses_alpha_beta
    assert Recipe(alpha=0.0).uses_alpha_beta
    assert Recipe(beta=1.0).uses_alpha_beta


def test_a_recipe_survives_json_but_for_folders():
    recipe = Recipe(
        strength=0.75,
        blend=(0.25, 0.75),
        init="/home/somebody/pictures/start.png",
        network="vgg19",
        weights="/home/somebody/vgg.safetensors",
        steps=(9, 8),
        seed=12,
        pooling="avg",
        style_layers=("relu1_1",),
        layer_weights=(0.3,),
        threads=2,
    )
    text = json.dumps(recipe.as_dict())
    assert "somebody" not in text
    again = Recipe.from_dict(json.loads(text))
    assert again == dataclasses.replace(recipe, init="start.png", weights="vgg.safetensors")


@given(
    strength=st.floats(0, 1),
    size=st.integers(16, 5000),
    steps=st.none() | st.lists(st.integers(0, 500), min_size=1, max_size=4).map(tuple),
    alpha=st.none() | st.floats(0, 1e9),
    device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
)
def test_any_recipe_survives_json_exactly(**options):
    recipe = Recipe(**options)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_an_unknown_option_is_named():
    with pytest.raises(RecipeError, match="no option named 'stength'"):
        Recipe.from_dict({"stength": 0.5})


@pytest.mark.parametrize(
    ("options", "weight"),
    [
        ({"strength": 0.5}, 0.005 * 5 / 6),
        ({"strength": 0.0}, 0.0),
        ({"alpha": 1.0, "beta": 2.0}, 0.0),
        ({"tv": 0.3}, 0.3),
        ({"tv": 0.3, "alpha": 1.0}, 0.3),
    ],
    ids=str,
)
def test_smoothing_follows_the_strength_unless_it_is_given(options, weight):
    assert Recipe(**options).variation_weight == pytest.approx(weight)


def test_the_command_line_holds_what_is_not_at_its_default():
    assert Recipe().command_line() == ""
    recipe = Recipe(
        alpha=1e-3, steps=(30, 20), tileable=True, style_layers=("conv1_1", "conv2_1"), init="a b"
    )
    assert recipe.command_line() == (
        "--tileable --init 'a b' --alpha 0.001 --style-layers conv1_1,conv2_1 --steps 30,20"
    )


@pytest.mark.parametrize(
    ("tile", "sentence"), [(48, "too small.*at least 64"), ("big", "auto, none")]
)
def test_a_tile_that_cannot_be(tile, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Recipe(tile=tile)
    assert Recipe(tile="128").tile == 128


def test_the_method_settles_what_is_left_open():
    usual, report = Recipe(), Recipe(method="report")
    assert (usual.method, usual.neighbours > 0, usual.optimizer) == ("neighbours", True, "adam")
    assert (report.init, report.style_loss, report.scales) == ("noise", "gram", 1)
    assert (report.precision, report.average, report.margin, report.tv) == ("fp32", 0.0, 0, 0.0)
    assert Recipe(method="report", optimizer="adam").optimizer == "adam"
    assert Recipe(method="report", optimizer="adam").command_line() == (
        "--method report --optimizer adam"
    )


@pytest.mark.parametrize(
    "options",
    [
        {"network": "vgg19"}, {"weights": "a.safetensors"}, {"tileable": True}, {"alpha": 1.0},
        {"style_loss": "gram"}, {"layer_weights": "equal"}, {"style_layers": ("conv1_1",)},
        {"quality": "instant"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_said_of_statistics_or_another_network_chooses_the_method(options):
    recipe = Recipe(**options)
    assert (recipe.method, recipe.neighbours) == ("statistics", 0.0)
    assert "--method" not in recipe.command_line()


def test_another_method_keeps_what_was_given():
    recipe = Recipe(steps=(3,), average=0.5).by("statistics")
    assert recipe == Recipe(method="statistics", steps=(3,), average=0.5)
    assert Recipe(size=64).but({"style_loss": "gram"}).neighbours == 0
    again = Recipe(style_loss="gram").but({"style_loss": "w2"})
    assert (again.method, again.layer_weights) == ("statistics", "falling")


@given(share=st.floats(0.001, 0.9999))
def test_a_strength_and_its_share_of_the_style(share):
    assert style_share(strength_for(share)) == pytest.approx(share)
    assert style_share(0.5) == pytest.approx(5 / 6)
    assert [style_share(end) for end in (0, 1)] == [0, 1] == [strength_for(e) for e in (0, 1)]
