"""The course of a picture: by which recipe it is made, from which step on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage
from impasto.engine.state import State
from impasto.errors import RecipeError
from impasto.files.pictures.images import Picture
from impasto.files.records.write import Change
from impasto.recipe.options import flag
from impasto.recipe.still import Recipe, options_of_network

FIXED = (
    "regions",
    "style_regions",
    "size",
    "print",
    "fit",
    "dpi",
    "depth",
    "crop_preview",
    "tileable",
    "max_pixels",
)


class Course:
    """What has been changed while a picture was being made, and what is to be changed next.

    Args:
        recipe: the first one.
        plan: for it.
        changes: that have been made.

    Attributes:
        first: the first recipe and its plan.
        changes: those that have been made, in order.
        done: the last step so far; -1 before the first.
        stage: of that step, where it was not made here; counted from the first recipe on.
        picture: as that step left it, ``(1, 3, H, W)`` on the CPU, for the next change.

    """

    def __init__(self, recipe: Recipe, plan: Plan, changes: Sequence[Change] = ()) -> None:
        self.first = recipe, plan
        self.changes = list(changes)
        self.done = changes[-1].step if changes else -1
        self.picture: Tensor | None = None
        self._wished: tuple[Recipe, Picture | None] | None = None
        self._scheduled: list[tuple[Change, Picture | None]] = []
        self._last: State | None = None
        self._offset = 0  # of the present recipe's steps
        self._stages = sum(len(each.stages) for each in self._plans[:-1])
        self.stage = self._stages

    @property
    def _plans(self) -> list[Plan]:
        return [self.first[1], *(each.plan for each in self.changes)]

    @property
    def _stage(self) -> int:
        """That of the last step, counted from the first recipe on."""
        if self._last is not None:
            return self._stages + self._last.stage
        return self.stage

    @property
    def latest(self) -> tuple[Recipe, Plan]:
        """The present recipe and plan."""
        last = self.changes[-1] if self.changes else None
        return (last.recipe, last.plan) if last else self.first

    @property
    def plan(self) -> Plan:
        """The present plan; set where a stage needed smaller tiles."""
        return self.latest[1]

    @plan.setter
    def plan(self, plan: Plan) -> None:
        if self.changes:
            self.changes[-1] = replace(self.changes[-1], plan=plan)
        else:
            self.first = self.first[0], plan

    def check(self, recipe: Recipe, task: str) -> None:
        """Make sure that a picture can go on by a recipe.

        Raises:
            RecipeError: something differs that cannot change on the way.

        """
        now = self.latest[0]
        if task != "stylize" or now.crop_preview:
            raise RecipeError("Only a whole picture of a photograph can be changed on the way.")
        for name in (*FIXED, *options_of_network()):
            if getattr(recipe, name) != getattr(now, name):
                raise RecipeError(
                    f"{flag(name)} cannot change on the way: start again with another."
                )

    def wish(self, recipe: Recipe, mask: Picture | None) -> None:
        """Have the next step go by another recipe, and its mask."""
        self._wished = recipe, mask

    def schedule(self, change: Change, mask: Picture | None) -> None:
        """Have a change that was once made be made again, after the same step."""
        self._scheduled.append((change, mask))

    @property
    def is_due(self) -> bool:
        """Whether the next step goes by another recipe; never before the first."""
        return self.done >= 0 and (self._wished is not None or self._next is not None)

    @property
    def _next(self) -> tuple[Change, Picture | None] | None:
        here = self.done, self._stage
        due = (each for each in self._scheduled if (each[0].step, each[0].stage) == here)
        return next(due, None)

    def turn(self, planned: Callable[[Recipe], Plan]) -> tuple[Recipe, Plan, Picture | None]:
        """Make the change that is due; the recipe, plan and mask from here on.

        Args:
            planned: the whole plan of a recipe.

        """
        if self._next is not None:
            change, mask = self._next
            self._scheduled.remove((change, mask))
        else:
            assert self._wished is not None
            (recipe, mask), self._wished = self._wished, None
            change = Change(self.done, self._stage, recipe, self._rest_of(planned(recipe)))
        if self._last is not None:
            self.picture, self._last = self._last.snapshot(), None
        self._stages = sum(len(each.stages) for each in self._plans)
        self.changes.append(change)
        self._offset = change.step + 1
        return change.recipe, change.plan, mask

    def note(self, state: State) -> None:
        """A state, as the present recipe's run numbers it."""
        self.done, self._last = self._offset + state.step, state

    def numbered(self, state: State) -> State:
        """A state with its step counted from the first recipe on."""
        step, steps = self._offset + state.step, self._offset + state.steps
        return replace(state, step=step, steps=steps) if self._offset else state

    def step_of(self, state: State) -> int:
        """A numbered state's step, counted from the last change on."""
        return state.step - self._offset

    def stage_of(self, state: State) -> int:
        """A state's stage, counted from the first recipe on."""
        return self._stages + state.stage

    def _rest_of(self, plan: Plan) -> Plan:
        """The stages of a plan that are no smaller than the picture is now; the last one at least.

        A picture is never made smaller on the way.
        """
        now = self._size()
        stages = [each for each in plan.stages if (each.height, each.width) >= now]
        own = [*stages] or [plan.stages[-1]]
        threads = self.first[1].threads
        return replace(plan, threads=threads, stages=tuple(own))

    def _size(self) -> tuple[int, int]:
        if self._last is not None:
            stage: Stage = self.plan.stages[self._last.stage]
            return stage.height, stage.width
        assert self.picture is not None
        return self.picture.shape[-2], self.picture.shape[-1]
