"""Sheets, and what is drawn from them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from impasto.errors import RatingError
from impasto.evaluate.rating.sheet import Item, draw_comparisons, read_sheets


def test_a_manifest_and_the_folder_that_it_lies_in(sheet):
    items = read_sheets([sheet])
    assert items == read_sheets([sheet.parent])
    assert [item.name for item in items] == ["content0+style0", "content1+style1"]
    assert items[1].results["poor"] == str(sheet.parent / "poor1.png")


def test_a_folder_of_folders(sheet, tmp_path):
    for place in (0, 1):
        inner = tmp_path / "sheets" / f"pair {place}"
        inner.mkdir(parents=True)
        for role in ("content", "style", "good", "poor"):
            (tmp_path / f"{role}{place}.png").rename(inner / f"{role}.png")
    (tmp_path / "sheets" / "notes").mkdir()
    items = read_sheets([tmp_path / "sheets"])
    assert [item.name for item in items] == ["pair 0", "pair 1"]
    assert set(items[0].results) == {"good", "poor"}


def _items(count: int, contenders: str) -> list[Item]:
    return [Item("c", "s", dict.fromkeys(contenders, "r"), f"item {i}") for i in range(count)]


def test_every_comparison_once():
    drawn = draw_comparisons(_items(5, "abcd"))
    assert len(drawn) == len(set(drawn)) == 5 * 6


@pytest.mark.parametrize("limit", [6, 7, 12, 17])
def test_the_first_of_them_are_even(limit):
    drawn = draw_comparisons(_items(5, "abcd"), limit=limit, seed=3)
    assert len(drawn) == limit
    counts = Counter((each.first, each.second) for each in drawn)
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_drawing_hangs_on_its_seed():
    items = _items(4, "abc")
    assert draw_comparisons(items, seed=1) == draw_comparisons(items, seed=1)
    assert draw_comparisons(items, seed=1) != draw_comparisons(items, seed=2)


def test_items_need_not_have_the_same_contenders():
    drawn = draw_comparisons([*_items(1, "ab"), Item("c", "s", {"b": "r", "c": "r"}, "other")])
    assert {(each.item, each.first, each.second) for each in drawn} == {
        ("item 0", "a", "b"), ("other", "b", "c"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{broken", "cannot be read as a sheet"),
        ("[]", "is not a sheet"),
        ({"items": [{"content": "a", "style": "b"}]}, "no 'results'"),
        ({"items": [{"content": 3, "style": "b", "results": {}}]}, "wrong type in 'content'"),
        ({"items": []}, "nothing to compare"),
        ({"items": [{"content": "a", "style": "b", "results": {"x": "y"}}]}, "nothing to compare"),
        ({"items": [{"content": "a", "style": "b", "results": {"x": "y", "z": "y"}}] * 2}, "Two"),
    ],
)
def test_what_is_no_sheet(values, said, tmp_path):
    path = tmp_path / "sheet.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    with pytest.raises(RatingError, match=said):
        read_sheets([path])


def test_no_sheet_at_all(tmp_path):
    with pytest.raises(RatingError, match=r"no sheet\.json"):
        read_sheets([tmp_path])
    with pytest.raises(RatingError, match="cannot be read"):
        read_sheets([tmp_path / "nowhere.json"])
