"""A film's frames and what ties them to earlier ones: cuts, flows, and where these are reliable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from impasto.engine.shots import explained, is_cut
from impasto.files.films.flow import FlowEstimator
from impasto.files.films.reader import SourceFrame
from impasto.ops.warp import inside, reliable, shared


@dataclass(frozen=True)
class Tie:
    """How a frame is tied to an earlier one.

    Attributes:
        back: how many frames back that one is, in the order of the pass.
        flow: from the frame to the earlier one, ``(1, 2, H, W)`` in pixels.
        weights: ``(1, 1, H, W)``: the tie's part where the flow may be believed, else 0; the
            parts of a pixel add up to 1, or to 0.
        explained: of the same shape: 1 where the earlier frame, moved, shows what looks like this.

    """

    back: int
    flow: Tensor
    weights: Tensor
    explained: Tensor


@dataclass(frozen=True)
class TiedFrame:
    """A source frame and its ties.

    Attributes:
        frame: the frame, at the film's size.
        begins_shot: True for the first frame, and after a cut.
        ties: nearest first; none where a shot begins, or where the result is there already.

    """

    frame: SourceFrame
    begins_shot: bool
    ties: tuple[Tie, ...] = ()


def tied(
    frames: Iterable[SourceFrame],
    estimate: FlowEstimator,
    long_term: Sequence[int],
    *,
    known: Callable[[int], bool | None] = lambda _: None,
) -> Iterator[TiedFrame]:
    """Frames in the order in which they are made, each with its ties to earlier ones of its shot.

    Args:
        frames: of the film's size, forwards or backwards.
        estimate: optical flow.
        long_term: how many frames back ties go.
        known: whether a frame begins a shot, where its result is there already; such a frame needs
            no ties.

    """
    shot: deque[Tensor] = deque(maxlen=max(long_term))
    for frame in frames:
        begins = known(frame.index)
        ties: tuple[Tie, ...] = ()
        if begins is None:
            begins, ties = _ties(frame.picture, shot, estimate, long_term)
        if begins:
            shot.clear()
        shot.append(frame.picture)
        yield TiedFrame(frame, begins, ties)


def _ties(
    picture: Tensor, shot: Sequence[Tensor], estimate: FlowEstimator, long_term: Sequence[int]
) -> tuple[bool, tuple[Tie, ...]]:
    if not shot:
        return True, ()
    flow = estimate(picture, shot[-1])
    if is_cut(picture, shot[-1], flow):
        return True, ()
    backs = [back for back in long_term if back <= len(shot)]
    flows = [flow, *(estimate(picture, shot[-back]) for back in backs[1:])]
    returns = [estimate(shot[-back], picture) for back in backs]
    weights = shared([reliable(*pair) for pair in zip(flows, returns, strict=True)])
    seen = [
        explained(picture, shot[-back], flow) * inside(flow)
        for back, flow in zip(backs, flows, strict=True)
    ]
    return False, tuple(map(Tie, backs, flows, weights, seen))
