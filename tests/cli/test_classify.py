"""impasto classify: the five best classes, by number or by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from impasto.cli import classify as command
from impasto.cli import main
from impasto.files.weights import store as weights
from impasto.nets.vgg import classifier_picture


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPASTO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def classifier(monkeypatch) -> list[torch.Tensor]:
    """In place of 575 MB: class 3 at 60%, then 1, 4, 999 and 5; and what it was shown."""
    shown = []

    def load(path: Path | None):
        def classify(image: torch.Tensor) -> torch.Tensor:
            shown.append(image)
            shares = torch.zeros(1, 1000)
            shares[0, [3, 1, 4, 999, 5]] = torch.tensor([0.6, 0.2, 0.1, 0.06, 0.04])
            return shares

        return classify

    monkeypatch.setattr(weights, "load_classifier", load)
    return shown


def test_the_five_best_by_name(photo, classifier, capsys):
    assert main(["classify", str(photo)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        " 60.00%  tiger shark",
        " 20.00%  goldfish",
        " 10.00%  hammerhead",
        "  6.00%  toilet tissue",
        "  4.00%  electric ray",
    ]
    assert classifier[0].shape == (1, 3, 224, 224)


@pytest.mark.parametrize("kind", ["lines", "keras"])
def test_names_from_a_file(kind, photo, classifier, tmp_path, capsys):
    path = tmp_path / "names.txt"
    if kind == "lines":
        path.write_text("\n".join(f"thing {index}" for index in range(1000)))
    else:
        table = {str(index): [f"n{index:08}", f"thing {index}"] for index in range(1000)}
        path.write_text(json.dumps(table))
    assert main(["classify", str(photo), "--names", str(path)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == " 60.00%  thing 3"
    assert printed.err == ""


@pytest.mark.parametrize(("content", "sentence"), [
    ("one\ntwo\n", "has 2 names where 1,000 are needed"),
    ("{broken", "cannot be read as names"),
    ('{"0": ["n", "name"]}', "cannot be read as names"),
    (None, "cannot be read as names"),
])  # fmt: skip
def test_no_names(content, sentence, photo, tmp_path, capsys):
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_text(content)
    assert main(["classify", str(photo), "--names", str(path)]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1


def test_without_weights(photo, capsys):
    assert main(["classify", str(photo)]) == 2
    assert "run impasto models download vgg19-torchvision" in capsys.readouterr().err
    assert command.BEST == 5


@pytest.mark.parametrize("size", [(300, 450), (480, 320), (40, 60), (256, 256), (224, 1001)])
def test_the_middle_of_a_picture_of_any_size(size, waves):
    picture = waves(*size).float()
    found = classifier_picture(picture)
    assert found.shape == (1, 3, 224, 224)
    assert found.min() >= 0
    assert found.max() <= 1
    if size == (256, 256):
        assert torch.allclose(found, picture[..., 16:240, 16:240])
    # These sizes scale to even numbers, so the middle is the same from either side.
    turned = classifier_picture(picture.flip(-1).flip(-2)).flip(-1).flip(-2)
    assert torch.allclose(turned, found, atol=1e-4)
