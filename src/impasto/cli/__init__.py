"""The command ``impasto``. Torch is imported when a command needs it, not before."""

from impasto.cli.app import main

__all__ = ["main"]
