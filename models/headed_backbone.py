"""Backbones without a classifier, whose linear head is published in a file of its own."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from models.published import PublishedFile
from models.published_backbone import PublishedBackbone
from models.weight_source import WeightFile
from models.weights import State

PUBLISHED, NONE = "published", "none"


@dataclass(frozen=True)
class HeadedBackbone(PublishedBackbone):
    """A trunk and the head that gives its logits.

    Subclasses say `about.head` and `convert_head`, and build a network without a head where
    `has_head` is false.

    Attributes:
        head: "published", "none" (no logits), or a file of the published head's layout. With
            random weights the head is random too, or "none".
        head_sha256: expected hash of the head's file or its first digits; a check only.
    """

    head: str = PUBLISHED
    head_sha256: str | None = None

    def __post_init__(self) -> None:
        option = f"backbone.{self.about.name}"
        if self.weights == "random" and self.head not in (PUBLISHED, NONE):
            raise ValueError(
                f"{option}.head={self.head} would not be read: {option}.weights=random makes the "
                f"head random too; type {option}.head={PUBLISHED} or {option}.head={NONE}"
            )
        if self.head_sha256 is not None and (self.weights == "random" or not self.has_head):
            raise ValueError(
                f"{option}.head_sha256={self.head_sha256} is of a file, and no head's file is "
                f"read; type {option}.head_sha256=null"
            )

    @property
    def has_head(self) -> bool:
        """Whether there are logits."""
        return self.head != NONE

    @property
    def architecture(self) -> str:
        """Without a head it has fewer tensors, hence another name."""
        return self.about.architecture + ("" if self.has_head else "_headless")

    @abstractmethod
    def convert_head(self, state: State) -> State:
        """From the names of the head's file to those of `network`."""

    def published_files(self) -> tuple[PublishedFile, ...]:
        """The trunk's file and the head's, where the options name them."""
        head = self.about.head
        if self.head != PUBLISHED or self.weights == "random" or head is None:
            return super().published_files()
        return (*super().published_files(), head.pinned(self.head_sha256))

    def files(self) -> tuple[WeightFile, ...]:
        """The trunk's file and the head's."""
        trunk = super().files()
        return (*trunk, self._head_file()) if self.has_head else trunk

    def _head_file(self) -> WeightFile:
        published, option = self.about.head, f"backbone.{self.about.name}.head"
        assert published is not None  # a subclass names it
        if self.head != PUBLISHED:
            path, sha256 = Path(self.head).expanduser(), None
        else:
            path = published.find(self.about.name, option, otherwise=NONE)
            sha256 = published.expected(path)
        sha256 = sha256 if self.head_sha256 is None else self.head_sha256
        return WeightFile(path, sha256, option, self.about.head_entry, self.convert_head)
