"""First questions on a user's own files, at a size for a CPU: what `suite new` writes down."""

import hashlib
from pathlib import Path

from optuna.distributions import CategoricalDistribution, FloatDistribution

from suite.experiment import Experiment, Setting
from suite.starter import Given, Starter
from suite.task import Task
from tasks import own_texts
from tasks.charlm import CharLM
from tasks.forecasting import Forecasting
from tasks.labelling import Labelling
from tasks.reviews import COLUMNS
from tasks.sentiment import Sentiment
from tasks.translation import Translation
from tasks.user_files import UserFile, text_of

MOST_LABELS = 20
MOST_WORDS = 50  # of a sentence to translate
SEEDS = (101, 102, 103, 104, 105)


def frozen(path: Path) -> UserFile:
    """Return a file with the hash that it has now."""
    with path.open("rb") as file:
        return UserFile(path.resolve(), hashlib.file_digest(file, "sha256").hexdigest())


def sentiment(given: Given) -> Experiment:
    """Ask who tells the labels of texts."""
    (path,) = given.files
    columns = _two(given) or _named(path)
    text = text_of(path)
    found = sorted({label for _, _, label in own_texts.rows(text, path, columns)})
    if not 2 <= len(found) <= MOST_LABELS:
        raise ValueError(f"{path}: expected 2 to {MOST_LABELS} different labels, got {len(found)}: {', '.join(found[:MOST_LABELS])}")
    task = Sentiment(path=frozen(path), labels=tuple(found), columns=columns)
    question = f"Which architecture reads {path.name} best, and does it beat counting words?"
    return _question(question, task, ("bag_of_words", "elman", "lstm", "gru"), size=20_000, embedding=32, steps=1_500)


def charlm(given: Given) -> Experiment:
    """Ask who predicts the next character of a text."""
    (path,) = given.files
    task = CharLM(path=frozen(path))
    question = f"Which architecture predicts the next character of {path.name} best, and better than n-grams?"
    size = max(50_000, 150 * task.spec.outputs)  # a large alphabet alone needs a large head
    return _question(question, task, ("elman", "lstm", "gru"), size=size, embedding=32, steps=3_000)


def translation(given: Given) -> Experiment:
    """Ask whether attention helps to translate."""
    source, target = given.files
    languages = [path.name.removesuffix(".gz").rpartition(".")[2] for path in given.files]
    one, other = languages if languages[0] != languages[1] else ("source", "target")
    files = frozen(source), frozen(target)
    task = Translation(source=one, target=other, source_path=files[0], target_path=files[1], pairs=None, most_words=MOST_WORDS)
    question = f"Must one state hold the sentence? Fixed context against attention, {source.name} into {target.name}"
    return _question(question, task, ("lstm", "lstm_every_step", "lstm_luong"), size=400_000, embedding=128, steps=3_000)


def labelling(given: Given) -> Experiment:
    """Ask who tags words best."""
    (path,) = given.files
    task = Labelling(path=frozen(path), layout="conllu" if path.suffix == ".conllu" else "columns")
    question = f"Which architecture tags the words of {path.name} best, and better than each word's commonest tag?"
    return _question(question, task, ("elman", "lstm", "gru", "bilstm"), size=20_000, embedding=32, steps=1_500)


def forecasting(given: Given) -> Experiment:
    """Ask who foretells a column of a table."""
    (path,) = given.files
    task = Forecasting(path=frozen(path), columns=given.columns, target=given.target)
    question = f"Which architecture foretells {given.target or 'the series'} of {path.name} best, and better than least squares?"
    return _question(question, task, ("elman", "lstm", "gru"), size=5_000, embedding=None, steps=1_500)


def _question(question: str, task: Task, architectures: tuple[str, ...], *, size: int, embedding: int | None, steps: int) -> Experiment:
    return Experiment(
        question=question,
        settings=(Setting(task=task, label=task.name, size=size, embedding=embedding, steps=steps, batch_size=32, evaluations=10),),
        architectures=architectures,
        space={"learning_rate": FloatDistribution(1e-3, 3e-2, log=True), "clip": CategoricalDistribution((1.0,))},
        trials=8,
        seeds=SEEDS,
    )


def _two(given: Given) -> tuple[str, str] | None:
    if given.columns and len(given.columns) != 2:
        raise ValueError(f"--columns names that of the text and that of the label, got {', '.join(given.columns)}")
    return (given.columns[0], given.columns[1]) if given.columns else None


def _named(path: Path) -> tuple[str, str]:
    """Return the usual names of columns, which a file with names must have."""
    names = own_texts.header(text_of(path), path)
    if names and not set(COLUMNS) <= set(names):
        raise ValueError(f"{path}, line 1: expected columns {' and '.join(COLUMNS)}, or --columns TEXT,LABEL; there are {', '.join(names)}")
    return COLUMNS


STARTERS: dict[str, Starter] = {
    "charlm": Starter(what="the next character of a text in UTF-8", files=("text",), question=charlm),
    "forecasting": Starter(
        what="a column of a CSV of numbers, one step ahead", files=("csv",), takes=frozenset({"columns", "target"}), question=forecasting
    ),
    "labelling": Starter(what="the tag of every word: CoNLL-U, or a word and its tag in columns", files=("conllu",), question=labelling),
    "sentiment": Starter(
        what="the label of a text: .csv, .tsv, .jsonl, or label and text in each line",
        files=("texts",),
        takes=frozenset({"columns"}),
        question=sentiment,
    ),
    "translation": Starter(what="two files in UTF-8 that pair up line by line", files=("source", "target"), question=translation),
}
