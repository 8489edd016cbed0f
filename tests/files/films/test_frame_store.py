"""Finished frames beside a film in the making."""

from __future__ import annotations

import pytest
import torch

from impasto.errors import OutputError
from impasto.files.films.frame_store import KeptFrames

SETTINGS = {"recipe": {"size": 32, "steps": (1, 2)}, "clip": "abc"}


@pytest.fixture
def kept(tmp_path) -> KeptFrames:
    frames = KeptFrames(tmp_path / "film.mp4.frames")
    frames.begin(SETTINGS, resume=False, overwrite=False)
    return frames


def test_a_frame_is_read_as_it_was_rounded(kept, waves):
    picture = waves(6, 7).float()
    assert not kept.has("pass0", 3)
    kept.write("pass0", 3, picture, {"steps": 5, "begins_shot": True})
    found, notes = kept.read("pass0", 3)
    torch.testing.assert_close(found, (picture * 255).round() / 255)
    assert notes == kept.notes("pass0", 3) == {"steps": 5, "begins_shot": True}
    assert kept.has("pass0", 3)
    assert not kept.has("pass1", 3)


def test_a_later_run_goes_on_only_when_asked_and_only_with_the_same(kept, waves):
    kept.write("pass0", 0, waves(6, 7), {})
    again = KeptFrames(kept.folder)
    with pytest.raises(OutputError, match="--resume"):
        again.begin(SETTINGS, resume=False, overwrite=False)
    with pytest.raises(OutputError, match=r"\(clip differ\)"):
        again.begin({**SETTINGS, "clip": "other"}, resume=True, overwrite=False)
    assert again.has("pass0", 0)
    again.begin(SETTINGS, resume=True, overwrite=False)
    assert again.has("pass0", 0)
    again.begin(SETTINGS, resume=False, overwrite=True)
    assert not again.has("pass0", 0)


def test_a_folder_without_frames_is_nobodys(kept):
    KeptFrames(kept.folder).begin({"other": 1}, resume=False, overwrite=False)


def test_damage_is_said(kept, waves):
    kept.write("pass0", 0, waves(6, 7), {})
    path = next(kept.folder.glob("*.png"))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(OutputError, match="missing or damaged"):
        kept.read("pass0", 0)
    with pytest.raises(OutputError, match="missing or damaged"):
        kept.notes("pass0", 1)


def test_removed(kept):
    kept.remove()
    assert not kept.folder.exists()
