"""The report's figure 6."""

from __future__ import annotations

import pytest

from impasto.nets.summary import summarise
from impasto.nets.topology import COMPACT_WIDTHS

# Figure 6, with fc2 as the report's text has it (16,781,312: the figure's scan lost a digit).
FIGURE_6 = [
    ("input", (224, 224, 3), 0),
    ("conv1_1", (224, 224, 64), 1792),
    ("conv1_2", (224, 224, 64), 36928),
    ("pool1", (112, 112, 64), 0),
    ("conv2_1", (112, 112, 128), 73856),
    ("conv2_2", (112, 112, 128), 147584),
    ("pool2", (56, 56, 128), 0),
    ("conv3_1", (56, 56, 256), 295168),
    ("conv3_2", (56, 56, 256), 590080),
    ("conv3_3", (56, 56, 256), 590080),
    ("conv3_4", (56, 56, 256), 590080),
    ("pool3", (28, 28, 256), 0),
    ("conv4_1", (28, 28, 512), 1180160),
    ("conv4_2", (28, 28, 512), 2359808),
    ("conv4_3", (28, 28, 512), 2359808),
    ("conv4_4", (28, 28, 512), 2359808),
    ("pool4", (14, 14, 512), 0),
    ("conv5_1", (14, 14, 512), 2359808),
    ("conv5_2", (14, 14, 512), 2359808),
    ("conv5_3", (14, 14, 512), 2359808),
    ("conv5_4", (14, 14, 512), 2359808),
    ("pool5", (7, 7, 512), 0),
    ("flatten", (25088,), 0),
    ("fc1", (4096,), 102764544),
    ("fc2", (4096,), 16781312),
    ("predictions", (1000,), 4097000),
]


def test_vgg19_is_figure_6():
    rows = summarise()
    assert [(row.name, row.shape, row.parameters) for row in rows] == FIGURE_6
    assert sum(row.parameters for row in rows) == 143_667_240


def test_multiply_adds_by_hand():
    rows = {row.name: row.multiply_adds for row in summarise()}
    assert rows["conv1_1"] == 224 * 224 * 64 * 27
    assert rows["conv3_1"] == 56 * 56 * 256 * 9 * 128
    assert rows["pool2"] == 0
    assert rows["fc2"] == 4096 * 4096
    assert sum(rows.values()) == 19_632_062_464  # the well-known 19.6 billion


def test_receptive_fields_stand_in_the_rows():
    fields = {row.name: row.receptive_field for row in summarise(classifier=False)}
    assert fields["conv1_1"] == 3
    assert fields["conv4_2"] == 84
    assert fields["conv5_1"] == 156
    assert "fc1" not in fields


@pytest.mark.parametrize("last", ["conv1_2", "conv5_1"])
def test_parameters_are_those_of_a_network(last: str, tiny_network):
    network = tiny_network(COMPACT_WIDTHS, last=last)
    rows = summarise(COMPACT_WIDTHS, last=last, classifier=False)
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())


def test_odd_sizes_round_down():
    rows = summarise((1, 1, 1, 1, 1), last="pool2", height=45, width=50, classifier=False)
    assert rows[-1].shape == (11, 12, 1)
