"""FID Inception: pool3 features of TensorFlow's 2015-12-05 graph, that of most published FIDs."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from models.fid_inception import CLASSES, FEATURES, RESOLUTION, FeatureLayer, FidInception
from models.published import PublishedFile
from models.published_backbone import About, PublishedBackbone
from models.resize import Resize
from models.scaling import Scaling

FILE = PublishedFile(
    name="pt_inception-2015-12-05-6726825d.pth",
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d",  # the digits in its name, which we check
    licence="Apache-2.0",
    megabytes=96,
    aliases=("weights-inception-2015-12-05-6726825d.pth",),  # torch-fidelity's name for it
)


@dataclass(frozen=True)
class Inception(PublishedBackbone):
    """2048 features after the global average and 1008 logits, at 299 px.

    Attributes:
        layer: where the features are taken; all but pool3 are for small samples, and no FID.
        logits_bias: whether logits include the bias of the last layer. False is what most
            Inception Scores use; published code differs on it.
    """

    resolution: int = RESOLUTION
    resize: Resize = Resize.tf1_bilinear
    scaling: Scaling = Scaling.tf
    layer: FeatureLayer = FeatureLayer.pool3
    logits_bias: bool = False

    about: ClassVar[About] = About(
        name="inception",
        architecture="inception_2015_12_05",
        layer=FeatureLayer.pool3.name,
        width=FEATURES,
        classes=CLASSES,
        file=FILE,
    )
    has_spatial: ClassVar[bool] = True

    def network(self) -> nn.Module:
        """The unfilled network of 472 tensors."""
        return FidInception(self.logits_bias, self.layer)

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature or a logit; reads the weight file.

        Raises:
            WeightsError: if the file is absent or not the expected one.
        """
        return {
            **super().identity(),
            "layer": self.layer.name,
            "width": self.layer.value,
            "logits_bias": self.logits_bias,
        }
