"""Files of choices."""

from __future__ import annotations

import json

import pytest

from impasto.errors import RatingError
from impasto.evaluate.rating.choices import Ballot, Choice, contenders, read_ballots, write_ballot

CHOICES = (Choice("i", "a", "b", "left"), Choice("j", "c", "a", "tie"))


def test_written_and_read(tmp_path):
    write_ballot(Ballot(CHOICES, "anna"), tmp_path / "a.json")
    write_ballot(Ballot(CHOICES), tmp_path / "b.json")
    ballots = read_ballots([tmp_path / "a.json", tmp_path / "b.json"])
    assert [(each.rater, each.choices) for each in ballots] == [("anna", CHOICES), ("b", CHOICES)]
    assert contenders(ballots) == ("a", "b", "c")


def test_a_raters_files_are_put_together(tmp_path):
    for name, choice in zip("ab", CHOICES, strict=True):
        write_ballot(Ballot((choice,), "anna"), tmp_path / f"{name}.json")
    (ballot,) = read_ballots(sorted(tmp_path.iterdir()))
    assert ballot.choices == CHOICES


def test_points():
    assert [CHOICES[0].points(name) for name in "ab"] == [1, 0]
    assert [CHOICES[1].points(name) for name in "ac"] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "else"}, "not saved by its page"),
        ({"schema": 2}, "another version"),
        ({"choices": [{"item": "i", "left": "a", "right": "b", "choice": "up"}]}, "unknown choice"),
        ({"choices": [{"item": "i", "left": "a", "right": "a", "choice": "left"}]}, "itself"),
        ({"rater": "\x1b[2J"}, "cannot be printed"),
        (
            {"choices": [{"item": "i", "left": "\x9b", "right": "b", "choice": "tie"}]},
            "cannot be printed",
        ),
        ({"choices": [{"item": "i"}]}, "no 'left'"),
        ({"choices": []}, "hold no choices"),
    ],
)
def test_what_is_no_ballot(change, said, tmp_path):
    path = tmp_path / "a.json"
    write_ballot(Ballot(CHOICES), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RatingError, match=said):
        read_ballots([path])


def test_files_that_hold_nothing(tmp_path):
    write_ballot(Ballot(CHOICES, "anna"), tmp_path / "a.json")
    (tmp_path / "copy.json").write_bytes((tmp_path / "a.json").read_bytes())
    with pytest.raises(RatingError, match="the same choices"):
        read_ballots([tmp_path / "a.json", tmp_path / "copy.json"])
    (tmp_path / "list.json").write_text("[]")
    for name, said in (("list.json", "not saved by"), ("none.json", "cannot be read")):
        with pytest.raises(RatingError, match=said):
            read_ballots([tmp_path / name])
