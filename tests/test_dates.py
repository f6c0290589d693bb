"""Dates: one right answer for every row, no day in two splits, and patterns as babel writes them."""

import itertools
from datetime import date

import numpy as np
import pytest
from babel.dates import format_date

from tasks.dates import DIGITS, Dates, _days
from tasks.transduction import SYMBOLS

TASK = Dates()


def texts(task, batch):
    """Return (locale, what is written, the answer) of each row."""
    characters = {number: character for character, number in task._script.characters.items()}
    for x, mask, y, weight in zip(batch.x, batch.mask, batch.y, batch.weight, strict=True):
        if weight.any():
            locale, *written = x[mask]
            answer = "".join(DIGITS[k - SYMBOLS] for k in y[: int(weight.sum()) - 1])
            yield task.locales[locale - SYMBOLS], "".join(characters[k] for k in written), answer


def test_a_row_is_its_day_in_one_of_the_widths_of_its_locale():
    seen = set()
    for batch in itertools.islice(TASK.batches("train", seed=0, batch_size=64), 8):
        for locale, written, answer in texts(TASK, batch):
            day = date.fromisoformat(answer)
            widths = {width for width in TASK.widths if format_date(day, width, locale=locale) == written}
            assert widths
            seen |= {(locale, width) for width in widths}
    assert len(seen) == len(TASK.locales) * 4


def test_known_dates_are_written_as_people_do():
    script, day = TASK._script, date(2021, 4, 5)
    forms = dict(zip(itertools.product(TASK.locales, TASK.widths), range(len(script.forms)), strict=True))
    known = {
        ("de", "full"): "Montag, 5. April 2021",
        ("en_US", "short"): "4/5/21",
        ("es", "short"): "5/4/21",
        ("ja", "long"): "2021年4月5日",
    }
    for form, text in known.items():
        symbol, *ids = script.read(forms[form], day)
        assert symbol == SYMBOLS + TASK.locales.index(form[0])
        assert ids == [script.characters[character] for character in text]


def test_every_form_writes_every_kind_of_day_as_babel_does():
    script = TASK._script
    days = [date.fromordinal(int(day)) for day in np.random.default_rng(0).choice(_days(TASK)["train"], 150)]
    for form, (locale, width) in enumerate(itertools.product(TASK.locales, TASK.widths)):
        for day in days:
            expected = [script.characters[character] for character in format_date(day, width, locale=locale)]
            assert script.read(form, day)[1:] == expected, (locale, width, day)


def test_what_is_written_in_a_locale_means_one_day():
    """All days of three years whose two digits can be taken for a day or a month."""
    years = (2001, 2010, 2012)
    days = [date.fromordinal(k) for year in years for k in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)]
    for locale in TASK.locales:
        meaning = {}
        for number in range(len(TASK._script.forms)):
            if TASK._script.read(number, days[0])[0] == SYMBOLS + TASK.locales.index(locale):
                for day in days:
                    assert meaning.setdefault(tuple(TASK._script.read(number, day)), day) == day


def test_no_day_is_in_two_splits_and_all_days_are_in_one():
    days = _days(TASK)
    together = np.concatenate(list(days.values()))
    assert len(together) == len(set(together)) == (date(2069, 12, 31) - date(1969, 12, 31)).days
    assert [len(days[split]) / len(together) for split in ("train", "validation", "test")] == pytest.approx([0.8, 0.1, 0.1], abs=1e-4)
    for split, batches in (("train", 40), ("validation", 15), ("test", 15)):
        for batch in itertools.islice(TASK.batches(split, seed=1, batch_size=64), batches):
            assert {date.fromisoformat(answer).toordinal() for _, _, answer in texts(TASK, batch)} <= set(days[split])


def test_no_row_is_longer_than_the_spec_says_and_one_is_as_long():
    """Also in years other than the one that the length was taken from."""
    longest = 0
    for year in (1970, 1999, 2000, 2044, 2069):
        for number in range(len(TASK._script.forms)):
            sizes = [len(TASK._script.read(number, date(year, month, day))) for month in range(1, 13) for day in range(20, 29)]
            longest = max(longest, *sizes)
    assert longest == TASK.spec.longest


def test_the_digest_follows_the_patterns():
    assert Dates(locales=("de", "fr")).digest() != Dates(locales=("de", "es")).digest()
    assert Dates(widths=("long",)).digest() != Dates(widths=("full",)).digest()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"locales": ()}, "locales must be distinct, one at least"),
        ({"locales": ("de", "de")}, "locales must be distinct"),
        ({"widths": ("tiny",)}, "widths must be out of full, long, medium, short, got .'tiny'"),
        ({"first_year": 1900, "last_year": 2000}, "a century .* got 1900 to 2000"),
        ({"first_year": 2010, "last_year": 2009}, "got 2010 to 2009"),
    ],
)
def test_impossible_settings_are_refused_with_what_came(wrong, words):
    with pytest.raises(ValueError, match=words):
        Dates(**wrong)


def test_an_unknown_locale_is_named():
    with pytest.raises(ValueError, match="locales must be known to babel, got 'xx_YY'"):
        _ = Dates(locales=("xx_YY",)).spec
