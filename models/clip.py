"""Image towers of OpenAI's CLIP: the embedding that is compared with texts.

Source: A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
2021. The tower has QuickGELU, x sigmoid(1.702 x), and a norm before its blocks; its class token is
normed and projected. Features are not scaled to length one: metrics that want that do it.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from models.backbone import Embedding
from models.clip_names import PROJECTION, image_tower
from models.file_kind import FileKind, file_kind
from models.precision import head_in_float32
from models.resize import Resize
from models.scaling import Scaling
from models.timm_trunk import TRUNK
from models.vit import VitBackbone, require_resolution, vit
from models.weight_source import WeightFile
from models.weights import State, WeightsError


class ClipTrunk(nn.Module):
    """Scaled images (n, 3, S, S) -> projected class token (n, P).

    Args:
        network: timm's image tower without a classifier, of width D.
        width: P.
    """

    def __init__(self, network: nn.Module, width: int) -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Linear(int(network.num_features), width, bias=False)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Embedding:
        """Features of one pass."""
        token = self.network(x)
        with head_in_float32(x.device):
            return Embedding(self.projection(token.float()), None)


@dataclass(frozen=True)
class ClipBackbone(VitBackbone):
    """The projected class token, of any length. No logits.

    `weights` may be a file of OpenAI's names, as open_clip keeps them, or of the transformers
    library; with or without the text tower.
    """

    resize: Resize = Resize.pil_bicubic
    scaling: Scaling = Scaling.clip

    trained_resolution: ClassVar[int] = 224

    def __post_init__(self) -> None:
        require_resolution(self.about.name, self.resolution, self.trained_resolution)

    def network(self) -> nn.Module:
        """The image tower of timm and the projection, unfilled."""
        return ClipTrunk(vit(self.about.architecture, self.resolution), self.about.width)

    def convert(self, state: State) -> State:
        """From either layout to the trunk's names."""
        tower = image_tower(state)
        return {name if name == PROJECTION else TRUNK + name: tower[name] for name in tower}

    def files(self) -> tuple[WeightFile, ...]:
        """The one file.

        Raises:
            WeightsError: if it is OpenAI's own, which is a program.
        """
        files = super().files()
        if self.about.file is not None and file_kind(files[0].path) is FileKind.TORCHSCRIPT:
            raise WeightsError(
                f"weights file {files[0].path} is a TorchScript program, as OpenAI publishes CLIP, "
                f"and is not run; take the same weights from {self.about.file.url}"
            )
        return files
