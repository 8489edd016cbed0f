"""The package as it is imported and as its floors stand."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import pytest

import impasto
from impasto import errors


def _modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.alone
def test_the_package_is_imported_in_a_moment():
    """0.02 s of processor time as measured; the margin is for slow and busy machines."""
    code = (
        "import time; start = time.process_time(); import impasto;"
        "print(time.process_time() - start)"
    )
    taken = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(taken) < 0.1


def test_importing_the_package_imports_nothing_heavy():
    loaded = _modules_after("import impasto; impasto.Recipe(strength=0.5); impasto.PictureError")
    assert "impasto" in loaded
    assert not loaded & {"torch", "numpy", "PIL", "safetensors", "rich", "cyclopts"}


def test_every_public_name_is_there():
    for name in impasto.__all__:
        assert getattr(impasto, name).__name__ == name
    with pytest.raises(AttributeError, match="stylise"):
        _ = impasto.stylise


def test_public_names_are_documented():
    for name in impasto.__all__:
        assert getattr(impasto, name).__doc__, name


def test_the_version_is_that_of_the_distribution():
    assert impasto.__version__ == version("impasto")


def test_types_weights_and_pages_come_with_the_package():
    assert files("impasto").joinpath("py.typed").is_file()
    assert files("impasto").joinpath("nets", "weights", "compact.safetensors").is_file()
    assert files("impasto").joinpath("evaluate", "rating", "page.html").is_file()


def test_one_root_catches_every_error_and_each_is_a_builtin_too():
    kinds = {
        errors.RecipeError: ValueError,
        errors.PictureError: ValueError,
        errors.WeightsError: ValueError,
        errors.OutputError: OSError,
    }
    for kind, builtin in kinds.items():
        with pytest.raises(errors.ImpastoError):
            raise kind("one sentence")
        assert issubclass(kind, builtin)
        assert str(kind("one sentence")) == "one sentence"
