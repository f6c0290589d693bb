"""Windows that slide over a long series: every target counts once, behind so much of its past or more."""

import numpy as np

from suite.task import Array


def sliding(final: int, window: int, *, whole_first: bool = False) -> tuple[Array, Array]:
    """Return where windows begin, (windows,), and the weights of their steps, (windows, window).

    They slide by half a window from 0 to `final`, the last place where one can begin. Each weighs the steps of its second
    half; the last one those that no other has weighed, and with `whole_first` the first one all of its own.
    """
    half = window // 2
    starts = np.unique(np.r_[np.arange(0, final + 1, half), final])
    done = np.r_[0 if whole_first else half, starts[:-1] + window]  # steps that count no more
    return starts, (starts[:, None] + np.arange(window) >= done[:, None]).astype(np.float32)
