"""Vocabularies of words or of byte pair encoding, fitted on training text alone; spaces are kept, so sentences can be joined again."""

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from tasks.parallel import MARK
from tasks.transduction import STOP

UNKNOWN = 3
SPECIAL = ("<padding>", "<start>", "<stop>", "<unknown>")
SHOWN = "\u2047"  # what an unknown symbol looks like in a sentence
LEAST = 2  # times that a pair of symbols occurs before it is merged

_PIECE = re.compile(r"\w+|[^\w\s]")


def pieces(sentence: str) -> list[str]:
    """Return the words and signs of a sentence; a mark stands where a space, or the start, was: ▁Don ' t ▁go ."""
    return [MARK * (not place) + piece for chunk in sentence.split() for place, piece in enumerate(_PIECE.findall(chunk))]


class Vocabulary(NamedTuple):
    """Symbols of a language by id. Byte pair encoding has merges as well; its symbols are parts of `pieces`."""

    symbols: tuple[str, ...]
    merges: tuple[tuple[str, str], ...] = ()

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """Return the ids of each sentence, without start and stop."""
        if self.merges:
            tokenizer = _tokenizer(self)
            return [found.ids for found in tokenizer.encode_batch([pieces(sentence) for sentence in sentences], is_pretokenized=True)]
        ids = _numbers(self)
        return [[ids.get(piece, UNKNOWN) for piece in pieces(sentence)] for sentence in sentences]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the sentence that ids up to the first stop spell."""
        found = []
        for number in map(int, ids):
            if number == STOP:
                break
            found.append(f"{MARK}{SHOWN}" if number == UNKNOWN else "" if number < UNKNOWN else self.symbols[number])
        return "".join(found).replace(MARK, " ").strip()

    @property
    def sha256(self) -> str:
        """The hash of symbols and merges, in their order."""
        return hashlib.sha256(json.dumps([self.symbols, self.merges]).encode()).hexdigest()


def fit(sentences: Sequence[str], *, size: int, units: Literal["bpe", "word"]) -> Vocabulary:
    """Return a vocabulary of at most `size` symbols, the special ones included: the commonest words, or the first merges.

    Source: Sennrich et al. (2016), arXiv:1508.07909 (byte pair encoding).
    """
    if units == "word":
        counts = Counter(piece for sentence in sentences for piece in pieces(sentence))
        ranked = sorted(counts, key=lambda piece: (-counts[piece], piece))
        return Vocabulary((*SPECIAL, *ranked[: size - len(SPECIAL)]))
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=LEAST, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator((" ".join(pieces(sentence)) for sentence in sentences), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return Vocabulary(tuple(sorted(model["vocab"], key=model["vocab"].get)), tuple((one, other) for one, other in model["merges"]))


@functools.lru_cache(maxsize=8)
def _tokenizer(vocabulary: Vocabulary) -> Any:
    from tokenizers import Tokenizer, models

    return Tokenizer(models.BPE(vocab=_numbers(vocabulary), merges=list(vocabulary.merges), unk_token=SPECIAL[UNKNOWN]))


@functools.lru_cache(maxsize=8)
def _numbers(vocabulary: Vocabulary) -> dict[str, int]:
    return {symbol: number for number, symbol in enumerate(vocabulary.symbols)}
