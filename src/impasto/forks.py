"""Processes that were forked: torch's threads do not come along, and would be waited for forever.

GNU OpenMP, by which torch computes on a CPU, keeps its threads for the next time. After a fork the
child has the list of them, but not the threads, and the next operation that is shared out among
them never ends. With one thread nothing is shared out. So a child that was forked after torch was
loaded computes on one thread. Children that are started by *spawn* are not touched.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from impasto.errors import RecipeError

_state: dict[str, Any] = {"is_forked": False, "cv2_threads": 1}


def is_forked() -> bool:
    """Whether this process was forked from one that had loaded torch."""
    return bool(_state["is_forked"])


def check_threads(count: int) -> None:
    """Make sure that torch's threads can be had here.

    Raises:
        RecipeError: more than one in a process that was forked after torch was loaded.

    """
    if count > 1 and is_forked():
        raise RecipeError(
            f"{count} threads cannot be had in a process that was forked from one that uses torch: "
            "leave --threads out or make it 1, or start the process with multiprocessing's 'spawn'."
        )


def _before() -> None:
    """OpenCV's threads end before the fork: a child that ended them would wait forever for them."""
    cv2 = sys.modules.get("cv2")
    _state["cv2_threads"] = getattr(cv2, "getNumThreads", lambda: 1)()
    if _state["cv2_threads"] > 1:
        cv2.setNumThreads(1)  # type: ignore[union-attr]


def _in_parent() -> None:
    if _state["cv2_threads"] > 1:
        sys.modules["cv2"].setNumThreads(_state["cv2_threads"])


def _in_child() -> None:
    torch = sys.modules.get("torch")
    if hasattr(torch, "set_num_threads"):
        _state["is_forked"] = True
        torch.set_num_threads(1)  # type: ignore[union-attr]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
