"""Dates: what people write in many languages, as an ISO 8601 date; unlimited pairs without a download."""

import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np

from suite.seeding import generator
from suite.task import Array, Baseline, Batch, Meter, Metric, Spec
from tasks.generated import Generated
from tasks.guesses import Guess, of_classes
from tasks.meters import Means, all_right, loss
from tasks.transduction import START, STOP, SYMBOLS, decoded, paired, symbols

if TYPE_CHECKING:
    from babel.dates import DateTimePattern

DIGITS = "0123456789-"
WIDTHS = ("full", "long", "medium", "short")
YEAR = 2021  # one year shows every month, weekday and digit
FIELDS = {"y": "year", "M": "month", "L": "month", "d": "day", "E": "weekday", "c": "weekday"}  # letter of a CLDR pattern -> what it shows
A_DAY_OF = {
    "year": lambda value: date(value, 1, 1),
    "month": lambda value: date(YEAR, value, 1),
    "day": lambda value: date(YEAR, 1, value),
    "weekday": lambda value: date(YEAR, 3, 1 + value),  # the first of March was a Monday
}


@dataclass(frozen=True, kw_only=True)
class Dates(Generated):
    """Read a date as written in one of many languages, character by character, and write it as year-month-day.

    x: <de> 5 . _ A p r i l _ 2 0 2 1         the first symbol names the locale, so that every row has one right answer:
    y: 2 0 2 1 - 0 4 - 0 5 stop               4/5/21 is in April for en_US and in May for es; (batch, longest), (batch, 11)

    Patterns and names are those of the Unicode CLDR. Every day of `first_year` to `last_year`, a century at most because of
    two-digit years, belongs to one split (8 of 10 to training, 1 each to validation and test): no test date is ever read in
    training, in whatever language. Within a split, day, locale and width are drawn independently.

    `exact` takes the likeliest character after each right one: greedy decoding gives the whole date if and only if every one
    of these is right, so it costs no decoding. `symbols` is of greedy decoding.

    Source: Unicode CLDR date patterns, cldr.unicode.org, by the package babel.
    """

    name: ClassVar[str] = "dates"
    main: ClassVar[str] = "exact"

    locales: tuple[str, ...] = ("cs", "de", "el", "en_GB", "en_US", "es", "fi", "fr", "hu", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr")
    widths: tuple[str, ...] = WIDTHS
    first_year: int = 1970
    last_year: int = 2069

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("locales", "widths"):
            if not (value := getattr(self, name)) or len(set(value)) != len(value):
                raise ValueError(f"{name} must be distinct, one at least, got {value}")
        if unknown := set(self.widths) - set(WIDTHS):
            raise ValueError(f"widths must be out of {', '.join(WIDTHS)}, got {sorted(unknown)}")
        if not 1000 <= self.first_year <= self.last_year <= 9999 or self.last_year - self.first_year > 99:
            raise ValueError(f"expected a century of four-digit years at most, got {self.first_year} to {self.last_year}")

    @cached_property
    def spec(self) -> Spec:
        script = self._script
        return Spec(
            kind="sequence",
            loss="categorical",
            inputs=SYMBOLS + len(self.locales) + len(script.characters),
            outputs=SYMBOLS + len(DIGITS),
            tokens=True,
            length=script.longest,
            longest=script.longest,
            lengths=(script.longest,),
            target_lengths=(len("2021-04-05") + 1,),
            start=START,
            stop=STOP,
            needs=frozenset({"greedy"}),
        )

    @property
    def solved(self) -> tuple[str, float]:
        return "exact", 0.99

    @property
    def notes(self) -> str:  # type: ignore[override]
        import babel

        parts = ", ".join(f"{len(days):,} {split}" for split, days in _days(self).items())
        return f"{len(self._script.forms)} patterns of {len(self.locales)} locales, babel {babel.__version__}; days: {parts}"

    @property
    def _script(self) -> "_Script":
        return _script(self.locales, self.widths)

    def rows(self, rng: np.random.Generator, count: int) -> Batch:
        return self.drawn("train", rng, count)

    def drawn(self, split: str, rng: np.random.Generator, count: int) -> Batch:
        script, days = self._script, _days(self)[_part(split)]
        chosen = [date.fromordinal(int(day)) for day in rng.choice(days, count)]
        forms = rng.integers(0, len(script.forms), count)
        sources = [script.read(form, day) for form, day in zip(forms, chosen, strict=True)]
        targets = [[SYMBOLS + DIGITS.index(character) for character in day.isoformat()] for day in chosen]
        return paired(sources, targets, time=script.longest, target_time=self.spec.target_lengths[0])

    def metrics(self, split: str) -> Mapping[str, Metric]:
        answers = _answers(self, _part(split))
        chances, best = _chances(self), _chances(self).argmax(axis=1)
        nats = -np.log(chances[np.arange(answers.shape[1]), answers]).mean()
        hits = answers == best
        why = "each character by its share at its place on the days of training, independently; measured on the days of this split"
        rate = {"by place": float(hits[:, :-1].mean())}
        return {
            "loss": Metric("nats per character", "min", {"by place": float(nats)}, 0.0, why),
            "exact": Metric("share of dates", "max", {"by place": float(hits.all(axis=1).mean())}, 1.0, why),
            "symbols": Metric("share of characters", "max", rate, 1.0, why, final=True),
        }

    def meter(self, split: str) -> Meter:
        return Means({"loss": loss, "exact": all_right, "symbols": symbols})

    def baselines(self) -> Mapping[str, Baseline]:
        chances = _chances(self)
        best = chances.argmax(axis=1)[:-1]
        return {
            "by place": Guess(
                lambda batch: of_classes(batch.y, chances)._replace(decoded=decoded([best] * len(batch.x), batch).decoded),
            )
        }

    def digest(self) -> str:
        """Return the sha256 of the first training batch and of every way to write the days of one year."""
        found = hashlib.sha256(super().digest().encode())
        found.update(self._script.sha256.encode())
        return found.hexdigest()

    def tiny(self) -> Self:
        return replace(super().tiny(), locales=("de", "en_US"), widths=("short",))


class _Shown(dict[int, list[int]]):
    """What stands for each value of a part of a day, as ids: found when first asked for."""

    def __init__(self, show: Callable[[int], list[int]]) -> None:
        super().__init__()
        self.show = show

    def __missing__(self, value: int) -> list[int]:
        self[value] = found = self.show(value)
        return found


class _Form(NamedTuple):
    """One way to write a date: what stands in it, piece by piece, as ids. A piece is what it is, or depends on one part of the day."""

    pieces: tuple[tuple[str, Mapping[int, list[int]]], ...]  # name of the part, "" for none -> its value -> ids

    def read(self, day: date) -> list[int]:
        """Return the ids of a day."""
        parts = {"": 0, "year": day.year, "month": day.month, "day": day.day, "weekday": day.weekday()}
        return [number for part, ids in self.pieces for number in ids[parts[part]]]


class _Script(NamedTuple):
    """The ways to write a date, and the ids of what they are written with."""

    forms: tuple[_Form, ...]
    characters: dict[str, int]
    longest: int  # symbols of a row, that of the locale included
    sha256: str

    def read(self, form: int, day: date) -> list[int]:
        """Return the ids of a day as written in one of the forms."""
        return self.forms[form].read(day)


@functools.lru_cache(maxsize=16)
def _script(locales: tuple[str, ...], widths: tuple[str, ...]) -> _Script:
    from babel import Locale, UnknownLocaleError

    forms = []
    for number, name in enumerate(locales):
        try:
            locale = Locale.parse(name)
        except (UnknownLocaleError, ValueError) as error:
            raise ValueError(f"locales must be known to babel, got {name!r}: {error}") from error
        forms += [(SYMBOLS + number, locale.date_formats[width], locale) for width in widths]
    days = [date.fromordinal(day) for day in range(date(YEAR, 1, 1).toordinal(), date(YEAR + 1, 1, 1).toordinal())]
    texts = [str(pattern.apply(day, locale)) for _, pattern, locale in forms for day in days]
    known = sorted({*"".join(texts), *DIGITS})
    characters = {character: SYMBOLS + len(locales) + number for number, character in enumerate(known)}
    found = tuple(_form(symbol, pattern, locale, characters) for symbol, pattern, locale in forms)
    return _Script(found, characters, 1 + max(map(len, texts)), hashlib.sha256("\n".join(texts).encode()).hexdigest())


def _form(symbol: int, pattern: "DateTimePattern", locale: object, characters: Mapping[str, int]) -> _Form:
    """Return the pieces of a pattern: babel is asked for each value of each field once, and a row costs a few look-ups."""
    from babel.dates import DateTimeFormat

    ids = lambda text: [characters[character] for character in text]
    pieces: list[tuple[str, Mapping[int, list[int]]]] = [("", {0: [symbol]})]
    for place, piece in enumerate(re.split(r"%\((\w+)\)s", str(pattern.format))):
        if place % 2 == 0:
            pieces.append(("", {0: ids(piece.replace("%%", "%"))}))
            continue
        part = FIELDS[piece[0]]

        def show(value: int, part: str = part, piece: str = piece) -> list[int]:
            return ids(DateTimeFormat(A_DAY_OF[part](value), locale)[piece])  # type: ignore[arg-type]

        pieces.append((part, _Shown(show)))
    return _Form(tuple(pieces))


@functools.lru_cache(maxsize=16)
def _days(task: Dates) -> dict[str, Array]:
    """Return the days (ordinals) of each split; which days these are depends on the years alone."""
    every = np.arange(date(task.first_year, 1, 1).toordinal(), date(task.last_year, 12, 31).toordinal() + 1)
    mixed = generator(task.name, task.version, "days").permutation(every)
    cuts = [len(every) * 8 // 10, len(every) * 9 // 10]
    return dict(zip(("train", "validation", "test"), np.split(mixed, cuts), strict=True))


@functools.lru_cache(maxsize=16)
def _answers(task: Dates, split: str) -> Array:
    """Return the targets of all days of a split: ids (days, 11)."""
    texts = [date.fromordinal(int(day)).isoformat() for day in _days(task)[split]]
    return np.array([[*(SYMBOLS + DIGITS.index(character) for character in text), STOP] for text in texts])


@functools.lru_cache(maxsize=16)
def _chances(task: Dates) -> Array:
    """Return how often training has each symbol at each place, (11, symbols); one more for each that can stand there."""
    answers = _answers(task, "train")
    counts = np.zeros((answers.shape[1], task.spec.outputs))
    for place, ids in enumerate(answers.T):
        counts[place] = np.bincount(ids, minlength=counts.shape[1])
    varies = (counts > 0).sum(axis=1) > 1
    counts[np.ix_(varies, np.arange(SYMBOLS, counts.shape[1]))] += 1
    return counts / counts.sum(axis=1, keepdims=True)


def _part(split: str) -> str:
    return "validation" if split == "probe" else split
