"""Memory in files: as good as memory, and nothing is left of it."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from impasto.errors import OutputError
from impasto.files.scratch import Scratch


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_holds_what_is_written_and_its_file_has_no_name(tmp_path, dtype):
    scratch = Scratch(tmp_path / "new")
    like = torch.zeros(2, dtype=dtype)
    one, other = scratch(like, (1, 3, 40, 50)), scratch(like, (4, 1000))
    one.fill_(1)
    other.fill_(2)
    assert (one.shape, one.dtype) == ((1, 3, 40, 50), dtype)
    assert (one == 1).all()
    assert (other == 2).all()
    assert not list((tmp_path / "new").iterdir())


def test_a_full_disk_is_met_before_the_work(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OutputError, match=r"room for 4\.0 GB.*no space left"):
        Scratch(tmp_path)(torch.zeros(1), (1_000_000_000,))
    assert not list(tmp_path.iterdir())
