"""What is timed: a recurrent layer under a softmax on every step, forward, backward and Adam, at these shapes."""

from dataclasses import dataclass, replace

GATES = {"elman": 1, "gru": 3, "lstm": 4}
CLASSES = 10
KINDS = ("plain", "ragged", "bidirectional", "stacked", "small")
STEPS_A_CALL = 100  # of a small model


@dataclass(frozen=True, kw_only=True)
class Case:
    """One cell at one shape. `ragged` rows end anywhere in the second half; `stacked` is two layers; `small` is the adding problem.

    A small model has one output behind the last step, new batches at every step, and many steps to a call, on one thread.
    """

    cell: str
    batch: int
    time: int
    features: int
    units: int
    kind: str = "plain"

    def __post_init__(self) -> None:
        if self.cell not in GATES:
            raise ValueError(f"cell must be one of {', '.join(GATES)}, got {self.cell!r}")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")

    @property
    def shape(self) -> str:
        """The shape in words: batch x time x features x units."""
        size = f"{self.batch}x{self.time}x{self.features}x{self.units}"
        return size if self.kind == "plain" else f"{size} {self.kind}"

    @property
    def calls(self) -> int:
        """How many training steps one call takes."""
        return STEPS_A_CALL if self.kind == "small" else 1

    @property
    def tokens(self) -> int:
        """Steps of all rows, padding included: every subject is given the same rectangle."""
        return self.batch * self.time

    @property
    def flops(self) -> float:
        """FLOPs of the matrix products of a training step; a multiply-add is 2, element-wise work is left out.

        Forward, and backward twice that, but for the gradient of the first layer's input, which nobody asks for.
        """
        gates, units = GATES[self.cell], self.units
        directions = 2 if self.kind == "bidirectional" else 1
        first = 2 * gates * units * (2 * self.features + 3 * units) * directions
        second = 2 * gates * units * (3 * units + 3 * units) if self.kind == "stacked" else 0
        head = 3 * 2 * units * (1 / self.time if self.kind == "small" else directions * CLASSES)
        return float(self.tokens * (first + second + head))


A = Case(cell="lstm", batch=64, time=200, features=64, units=128)
B = Case(cell="lstm", batch=32, time=100, features=128, units=256)
CELLS = ("lstm", "gru", "elman")

HEADLINE = tuple(replace(shape, cell=cell) for cell in CELLS for shape in (A, B))
BY_TIME = tuple(replace(A, time=time) for time in (50, 750))
BY_UNITS = tuple(replace(A, units=units) for units in (64, 512))
BY_BATCH = tuple(replace(A, batch=batch) for batch in (20, 128))
WHERE_WE_LOSE = (Case(cell="lstm", batch=20, time=100, features=64, units=64), Case(cell="gru", batch=20, time=100, features=64, units=64))
KINDS_OF_USE = tuple(replace(A, cell=cell, kind=kind) for kind in ("ragged", "bidirectional", "stacked") for cell in ("lstm", "gru"))
TINY = tuple(  # 1,220 parameters
    Case(cell=cell, batch=32, time=50, features=2, units=units, kind="small") for cell, units in (("elman", 33), ("lstm", 16), ("gru", 18))
)
QUICK = HEADLINE
FULL = (*HEADLINE, *BY_TIME, *BY_UNITS, *BY_BATCH, *WHERE_WE_LOSE, *KINDS_OF_USE)
CHECK = tuple(Case(cell=cell, batch=8, time=10, features=4, units=16) for cell in CELLS)  # to see that it works, not how fast
