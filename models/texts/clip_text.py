"""Text towers of OpenAI's CLIP: the embedding that is compared with images.

Source: A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
2021. A causal transformer with QuickGELU reads the tokens; the last token's output is normed and
projected. Embeddings are not scaled to length one: scorers that want that do it. The network and
the tokeniser are those of the package open_clip_torch (MIT), filled from the image tower's file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from models.backbones import describe
from models.clip import ClipBackbone
from models.clip_names import text_tower
from models.texts.tokens import CONTEXT, VOCABULARY_SHA256, require_open_clip, versions
from models.texts.towers import TOWERS, TextExtractor
from models.weight_source import FileWeights, RandomWeights, WeightSource

Texts = Callable[[Sequence[str]], Tensor]
"""n texts -> (n, P) float32."""


@dataclass(frozen=True)
class ClipText:
    """The text tower beside an image tower, in the same file.

    Attributes:
        tower: name of the image tower, such as "clip_vitb32".
        weights: "published", "random", or a file of the published layout with both towers.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
        truncate: cut a text of more than 77 tokens, its end mark kept; else it is refused.
    """

    tower: str
    weights: str = "published"
    weights_sha256: str | None = None
    seed: int = 0
    truncate: bool = False

    def __post_init__(self) -> None:
        if self.tower not in TOWERS:
            raise ValueError(
                f"no text tower is called {self.tower!r}; there are: {', '.join(TOWERS)}"
            )

    def identity(self) -> dict[str, object]:
        """Everything that moves an embedding; reads the weight file.

        Raises:
            models.weights.WeightsError: if the file is absent or not the expected one.
        """
        require_open_clip()
        return {
            "architecture": self._architecture,
            "layer": "projected_end_token",
            "width": TOWERS[self.tower].projected,
            "vocabulary_sha256": VOCABULARY_SHA256,
            "context": CONTEXT,
            "truncate": self.truncate,
            "packages": versions(),
            **self.source().identity(),
        }

    def load(self, device: str = "cpu") -> Texts:
        """Build the network on the device.

        Raises:
            models.weights.WeightsError: if the file is absent, damaged or not the expected one.
            ValueError: if open_clip is not installed.
        """
        require_open_clip()
        return TextExtractor(self.source().network(), device, self.truncate)

    def source(self) -> WeightSource:
        """Where the weights come from: the image tower's file, or a seed."""
        options = {key: getattr(self, key) for key in ("weights", "weights_sha256", "seed")}
        image = describe(self.tower, **options)
        assert isinstance(image, ClipBackbone)
        source = image.source()
        if isinstance(source, FileWeights):
            files = tuple(replace(file, convert=text_tower) for file in source.files)
            return FileWeights(self._network, files)
        return RandomWeights(self._architecture, self._network, self.seed)

    @property
    def _architecture(self) -> str:
        return f"{self.tower}_text_quickgelu"

    def _network(self) -> nn.Module:
        return TOWERS[self.tower].network()
