"""Colours of architectures: the same in every figure and, clashes aside, in every report; told apart without colour too."""

from collections.abc import Iterable
from typing import NamedTuple

from suite import seeding

# (on white, on dark): each at least 4.5 : 1 against its background, and apart for the three kinds of colour blindness by lightness or hue
PALETTE = (
    ("#0066a8", "#5fb4f2"),
    ("#bf4a00", "#ff9a63"),
    ("#00785a", "#48d3a8"),
    ("#a33a7c", "#f29fd0"),
    ("#7d6000", "#e6c74f"),
    ("#5546c4", "#b0a8ff"),
    ("#8a3f33", "#e39a8a"),
    ("#4a5663", "#b9c4cf"),
)
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))


class Look(NamedTuple):
    """How an architecture is drawn."""

    slot: int  # of the palette
    marker: str
    dash: str | tuple[int, tuple[float, ...]]


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Return the look of each architecture: its slot follows from its name, the next free one where two names want the same."""
    found: dict[str, Look] = {}
    for place, name in enumerate(sorted(set(names))):
        lap, taken = place // len(PALETTE), {look.slot for look in list(found.values())[place - place % len(PALETTE) :]}
        wanted = seeding.seed("colour", name) % len(PALETTE)
        slot = next(s % len(PALETTE) for s in range(wanted, wanted + len(PALETTE)) if s % len(PALETTE) not in taken)
        found[name] = Look(slot, MARKERS[(slot + lap) % len(MARKERS)], DASHES[lap % len(DASHES)])
    return found
