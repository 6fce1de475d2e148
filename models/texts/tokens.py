"""CLIP's tokens, as open_clip cuts texts into them."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

CONTEXT = 77  # tokens, with the marks of begin and end
VOCABULARY = 49408  # how many tokens there are
VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"
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


@cache
def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


class Tokeniser:
    """Texts -> tokens int64 (n, 77): begin, the text's own, end, zeros.

    A text is cleaned as OpenAI does: ftfy, HTML entities twice, one space between words, small
    letters.

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
            ValueError: if there is none, one is not text, or one is too long.
        """
        if isinstance(texts, str) or not len(texts):
            raise ValueError(f"texts: found {texts!r}, expected a list of one or more")
        for index, text in enumerate(texts):
            self._check(index, text)
        tokens: Tensor = self.tokenizer(list(texts), context_length=CONTEXT)
        return tokens.to(torch.int64)

    def _check(self, index: int, text: object) -> None:
        if not isinstance(text, str):
            raise ValueError(f"text {index} is a {type(text).__name__}, expected a str")
        count = 2 + len(self.tokenizer.encode(text))
        if count > CONTEXT and not self.truncate:
            raise ValueError(
                f"text {index} has {count} tokens, and CLIP reads {CONTEXT}: {text[:60]!r}...; "
                "shorten it, or set truncate=True"
            )
