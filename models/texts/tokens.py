"""CLIP's tokens, as open_clip cuts texts into them."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

CONTEXT = 77  # tokens, with the marks of begin and end
VOCABULARY = 49408  # how many tokens there are
VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"
MARKS = ("<start_of_text>", "<end_of_text>", "<|startoftext|>", "<|endoftext|>")
VOCABULARY_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"


def require_open_clip() -> None:
    """Refuse to go on without the package, or with another vocabulary than OpenAI's.

    Raises:
        ValueError: saying what to type.
    """
    found = importlib.util.find_spec("open_clip")
    if found is None or found.origin is None:
        raise ValueError("text towers need open_clip; type pip install open_clip_torch")
    file = Path(found.origin).parent / VOCABULARY_FILE
    if _sha256(file) != VOCABULARY_SHA256:
        raise ValueError(
            f"{file} is not OpenAI's vocabulary; type pip install --force-reinstall open_clip_torch"
        )


def versions() -> dict[str, str]:
    """Of the packages that clean a text and make the network: either may move an embedding."""
    return {name: version(name) for name in ("open_clip_torch", "ftfy")}


@cache
def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


class Tokeniser:
    """Texts -> tokens int64 (n, 77): begin, the text's own, end, zeros.

    A text is cleaned as OpenAI does: ftfy, HTML entities twice, one space between words, small
    letters. Differs from OpenAI: a text that holds a mark of begin or end, in OpenAI's or
    open_clip's spelling, is refused; each of the two would end it there, without a word.

    Args:
        truncate: cut what is too long, its end mark kept; else it is refused.
    """

    def __init__(self, truncate: bool) -> None:
        from open_clip import SimpleTokenizer  # seconds

        self.tokenizer = SimpleTokenizer()
        self.truncate = truncate

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Cut texts into tokens.

        Raises:
            ValueError: if there is none, one is not text, holds a mark, or is too long.
        """
        if isinstance(texts, str) or not isinstance(texts, Sequence) or not texts:
            raise ValueError(f"texts: found {texts!r}, expected a list of one or more")
        tokens = torch.zeros(len(texts), CONTEXT, dtype=torch.int64)
        for index, text in enumerate(texts):
            own = self._own(index, text)[: CONTEXT - 2]
            row = [self.tokenizer.sot_token_id, *own, self.tokenizer.eot_token_id]
            tokens[index, : len(row)] = torch.tensor(row)
        return tokens

    def _own(self, index: int, text: object) -> list[int]:
        """The text's own tokens, without marks."""
        if not isinstance(text, str):
            raise ValueError(f"text {index} is a {type(text).__name__}, expected a str")
        if found := [mark for mark in MARKS if mark in self.tokenizer.clean_fn(text)]:
            raise ValueError(f"text {index} holds the mark {found[0]}: {text[:60]!r}; leave it out")
        own: list[int] = self.tokenizer.encode(text)
        if len(own) + 2 > CONTEXT and not self.truncate:
            raise ValueError(
                f"text {index} has {len(own) + 2} tokens, and CLIP reads {CONTEXT}: "
                f"{text[:60]!r}...; shorten it, or set truncate=True"
            )
        return own
