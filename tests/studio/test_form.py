"""The form is the recipe's dataclass, and says no more and no less."""

from __future__ import annotations

import pytest

from impasto.errors import RecipeError
from impasto.recipe.still import Recipe
from impasto.studio.form import controls, options_of, values_of


def test_a_form_that_nobody_has_touched_asks_for_nothing():
    shown = controls()
    assert options_of({each.name: each.usual for each in shown}) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"strength": 0.3},
        {"style_scale": 2.0, "preserve_color": "luminance", "seed": 5},
        {"method": "statistics", "steps": (20, 30), "scales": 2},
        {"layer_weights": "equal", "style_loss": "gram"},
        {"layer_weights": (1.0, 2.0, 3.0, 4.0, 5.0), "tv": 0.0},
        {"content_layers": ("conv3_2", "conv4_2"), "match_color": True},
        {"alpha": 1.0, "beta": 10.0, "optimizer": "lbfgs", "history": 20},
    ],
)
def test_options_come_back_as_they_were(options):
    shown = controls()
    values = dict(zip((c.name for c in shown), values_of(options, shown), strict=True))
    assert options_of(values) == options
    assert Recipe(**options_of(values)) == Recipe(**options)


def test_a_strength_is_left_open_where_it_is_the_method_s_own():
    assert options_of({"strength": 0.68, "method": "statistics"}) == {"method": "statistics"}
    assert options_of({"strength": 0.6, "method": "statistics"})["strength"] == 0.6
    assert options_of({"strength": 0.6, "method": "automatic"}) == {}


@pytest.mark.parametrize(("name", "text"), [("steps", "many"), ("tv", "a bit"), ("scales", "1.5")])
def test_a_text_that_is_no_value(name, text):
    with pytest.raises(RecipeError, match=f"{name}.*is no number"):
        options_of({name: text})


def test_no_control_names_a_file_or_a_size_of_the_server_s():
    names = {each.name for each in controls()}
    assert not names & {"init", "weights", "protect", "max_pixels", "threads", "device", "size"}
    assert all(each.help and "--" not in each.help for each in controls())
