"""A made parallel corpus: sentences of a small English grammar and their German, for tests and for a try without a download."""

import itertools

import numpy as np

from suite.seeding import generator

ROWS = 1_200
NOUNS = ("dog Hund m", "man Mann m", "cat Katze f", "woman Frau f", "child Kind n", "girl Mädchen n")
ADJECTIVES = ("small klein", "old alt", "young jung", "brown braun")
VERBS = ("sees sieht", "finds findet", "follows verfolgt", "loves liebt")
TIMES = ("today heute", "now jetzt", "often oft")
ARTICLES = {"m": ("ein", "einen"), "f": ("eine", "eine"), "n": ("ein", "ein")}
ENDINGS = {"m": ("er", "en"), "f": ("e", "e"), "n": ("es", "es")}


def phrases() -> list[tuple[str, str]]:
    """Return the pairs, each once: `Often, a small dog sees an old man.`, `Oft sieht ein kleiner Hund einen alten Mann.`

    The verb moves before the subject, articles and endings follow gender and case: not a word-for-word code.
    """
    every = list(itertools.product(TIMES, ADJECTIVES, NOUNS, VERBS, ADJECTIVES, NOUNS))
    chosen = generator("phrases", 1).permutation(len(every))[:ROWS]
    return [_pair(*(part.split() for part in every[number])) for number in np.asarray(chosen).tolist()]


def _pair(time: list[str], first: list[str], subject: list[str], verb: list[str], second: list[str], thing: list[str]) -> tuple[str, str]:
    english = f"{time[0].capitalize()}, {_english(first, subject)} {verb[0]} {_english(second, thing)}."
    german = f"{time[1].capitalize()} {verb[1]} {_german(first, subject, 0)} {_german(second, thing, 1)}."
    return english, german


def _english(adjective: list[str], noun: list[str]) -> str:
    return f"{'an' if adjective[0][0] in 'aeiou' else 'a'} {adjective[0]} {noun[0]}"


def _german(adjective: list[str], noun: list[str], case: int) -> str:
    return f"{ARTICLES[noun[2]][case]} {adjective[1]}{ENDINGS[noun[2]][case]} {noun[1]}"
