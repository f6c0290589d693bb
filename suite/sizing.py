"""The width solver: the width at which the built model has the asked number of parameters."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from suite import flops
from suite.architecture import Architecture
from suite.experiment import Setting
from suite.models import SequenceModel, build

TOLERANCE = 0.02  # from here on the second width moves too, and the deviation is worth a word
REFUSED = 0.10
FLOAT = 4  # bytes


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large an architecture is on a setting; counts are trainable weights.

    `counted` leaves embedding tables (and an output table tied to one) out, and takes weights in that stay as they were drawn;
    `deviation` is (counted - target) / target,
    0 where the width itself was asked for; `flops_per_token` is forward; `state_bytes` a row's carried state in float32.
    """

    width: int
    inner: int | None
    target: int
    counted: int
    deviation: float
    parameters: int
    core: int
    head: int
    embedding: int
    flops_per_token: float
    state_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the size as JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Size":
        """Return the size that `to_json` described."""
        return cls(**body)


def solve(architecture: Architecture, setting: Setting, regime: str) -> Size:
    """Return the size at which this architecture meets the setting's target, counted on built models.

    Raises:
        ValueError: the architecture cannot take the task, no width comes within 10 % of the target, or the regime is unknown.
    """

    def built(width: int, inner: int | None = None) -> SequenceModel:
        return build(architecture, setting.task.spec, width=width, inner=inner, depth=setting.depth, embedding=setting.embedding, seed=0)

    if regime == "width":
        return measured(built(setting.size), setting.size, 0.0)
    if regime != "parameters":
        raise ValueError(f"regime {regime!r} is not built yet: use 'parameters' or 'width'")
    count = _Counts(lambda width, inner: built(width, inner).counts()["counted"])
    width, inner = _nearest_width(count, setting.size, architecture.multiple), None
    if architecture.inner and abs(count(width) / setting.size - 1) > TOLERANCE:
        inner = _nearest_inner(count, setting.size, width)
    deviation = count(width, inner) / setting.size - 1
    if abs(deviation) > REFUSED:
        raise ValueError(
            f"no width of {architecture.target} comes within {REFUSED:.0%} of {setting.size} parameters on {setting.label!r}: "
            f"the nearest, {width}, has {count(width, inner)}"
        )
    return measured(built(width, inner), setting.size, deviation)


class _Counts:
    """The counted parameters of a width and an inner width, each built once."""

    def __init__(self, count: Callable[[int, int | None], int]) -> None:
        self.count, self.known = count, dict[tuple[int, int | None], int]()

    def __call__(self, width: int, inner: int | None = None) -> int:
        if (width, inner) not in self.known:
            self.known[width, inner] = self.count(width, inner)
        return self.known[width, inner]


def _nearest_width(count: _Counts, target: int, multiple: int) -> int:
    """Return the width whose count is nearest to the target: bracket it between neighbours, guided by secants.

    The count is nearly quadratic in the width, so its root is nearly linear in it.
    """

    def counted(steps: int) -> int:
        return count(steps * multiple)

    def secant(one: int, two: int) -> int:
        a, b = math.sqrt(counted(one)), math.sqrt(counted(two))
        return math.floor(one + (two - one) * (math.sqrt(target) - a) / (b - a))

    low, high = 1, 2
    if counted(low) >= target:
        return multiple
    while counted(high) <= target:
        if counted(high) <= counted(low):
            raise ValueError(f"the number of parameters does not grow with the width: {counted(high)} at width {high * multiple}")
        low, high = high, min(max(high + 1, secant(low, high)), 8 * high)
    while high - low > 1:
        middle = min(max(secant(low, high), low + 1), high - 1)
        low, high = (middle, high) if counted(middle) <= target else (low, middle)
    return multiple * (low if target - counted(low) <= counted(high) - target else high)


def _nearest_inner(count: _Counts, target: int, width: int) -> int:
    """Return the second width whose count is nearest to the target: the count is linear in it."""
    one, two = count(width, 1), count(width, 2)
    if two <= one:
        raise ValueError(f"the number of parameters does not grow with the inner width: {two} at 2, {one} at 1")
    return max(1, 1 + round((target - one) / (two - one)))


def measured(model: SequenceModel, target: int, deviation: float) -> Size:
    """Return the size of a built model."""
    carries = model.architecture.carries and model.target is None
    entries = sum(math.prod(shape) for states in model.body.state_shapes() for shape in states) if carries else 0
    return Size(
        width=model.recipe["width"],
        inner=model.recipe["inner"],
        target=target,
        deviation=deviation,
        flops_per_token=flops.per_token(model),
        state_bytes=FLOAT * entries,
        **model.counts(),
    )
