"""What the counts of a string's symbols tell of their order: the floor of every task that asks to recall."""

import math

import numpy as np


def mode_share(length: int, symbols: int) -> float:
    """Return the expected share of the commonest of `symbols` symbols in a uniform string of `length`.

    Counts are independent Poisson numbers of mean length / symbols, given their sum:
    P(no count exceeds m) = [z^length] (sum over j <= m of p_j z^j)^symbols, over the same for m = length.
    """
    log_factorial = np.array([math.lgamma(count + 1) for count in range(length + 1)])
    poisson = np.exp(np.arange(length + 1) * math.log(length / symbols) - length / symbols - log_factorial)
    below = np.array([_coefficient(poisson[: most + 1], symbols, length) for most in range(length + 1)])
    return float(np.sum(1 - below[:-1] / below[-1]) / length)


def counted_nats(length: int, symbols: int) -> float:
    """Return the mean of -log(n / length), n = 1 + Binomial(length - 1, 1 / symbols) the count of a drawn symbol in its string."""
    p = 1 / symbols
    return sum(
        math.comb(length - 1, others) * p**others * (1 - p) ** (length - 1 - others) * -math.log((1 + others) / length)
        for others in range(length)
    )


def sorted_share(length: int, symbols: int) -> float:
    """Return the share of uniform strings that are in order already: one a multiset."""
    return math.comb(length + symbols - 1, length) / symbols**length


def _coefficient(polynomial: np.ndarray[tuple[int, ...], np.dtype[np.float64]], power: int, degree: int) -> float:
    """Return the coefficient of z^degree in polynomial^power."""
    found = np.ones(1)
    for _ in range(power):
        found = np.convolve(found, polynomial)[: degree + 1]
    return float(found[degree]) if len(found) > degree else 0.0
