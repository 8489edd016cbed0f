"""What the server refuses before it begins."""

from __future__ import annotations

import socket

import pytest

from impasto.cli import main
from impasto.errors import OutputError, RecipeError
from impasto.studio.server import serve


def test_others_are_let_in_with_a_password_alone(tmp_path):
    with pytest.raises(RecipeError, match="a password is needed"):
        serve(tmp_path, host="0.0.0.0", opens=False)


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="choose another"):
            serve(tmp_path, port=taken.getsockname()[1], opens=False)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another"):
        serve(tmp_path / "file" / "inside", port=0, opens=False)


@pytest.mark.parametrize(
    ("words", "told"), [(["--size", "3"], "--size must lie"), (["--host", "::"], "password")]
)
def test_a_sentence_on_the_command_line(words, told, tmp_path, capsys):
    assert main(["studio", "--folder", str(tmp_path), "--no-browser", *words]) == 2
    assert told in capsys.readouterr().err


def test_without_the_extra_a_sentence_says_so(monkeypatch, capsys):
    from impasto.cli import studio

    monkeypatch.setattr(studio, "find_spec", lambda _: None)
    assert main(["studio"]) == 2
    assert "pip install 'impasto[studio]'" in capsys.readouterr().err
