"""Any model of timm by its full name: features before the classifier, and logits.

Source: R. Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models.
The whole image is resized to a square: timm's crop_pct plays no part.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import timm
from torch import nn

from models.backbone import Network
from models.extractor import Extractor
from models.precision import Precision
from models.resize import Resize
from models.scaling import standardise
from models.timm_hub import hub_file
from models.timm_trunk import TimmTrunk
from models.weight_source import (
    FileWeights,
    RandomWeights,
    WeightFile,
    WeightSource,
    build_quietly,
)
from models.weights import WeightsError

OPTION = "backbone.timm.weights"
_RESIZE = {"bicubic": Resize.pil_bicubic, "bilinear": Resize.pil_bilinear}


@dataclass(frozen=True)
class TimmModel:
    """A timm network; what is None comes from the settings that timm keeps for the weights.

    Attributes:
        model: name with tag, such as "resnet18.a1_in1k"; the tag may be left out unless
            weights is "hub", because it decides which training the weights are from.
        weights: "hub", "random", or a file of the model's own tensors.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
        resolution: side of the input in pixels.
        resize: how images meet the resolution.
        mean: three channel means in units of 0..1.
        std: three channel deviations in units of 0..1.
        precision: of the network's arithmetic.
        optimise: fold batch normalisation into convolutions and keep channels last in memory:
            faster, and within 1e-5 relative in the features.
    """

    model: str
    weights: str = "hub"
    weights_sha256: str | None = None
    seed: int = 0
    resolution: int | None = None
    resize: Resize | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    precision: Precision = Precision.fp32
    optimise: bool = True

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature; reads the weight file, and may download it.

        Raises:
            ValueError: if timm has no such model, or the tag is needed and absent.
            WeightsError: if the file is absent or not the expected one.
        """
        return {
            "architecture": self.model,
            "layer": "pre_logits",
            "resolution": self._resolution(),
            "resize": self._resize().name,
            "mean": self._channels("mean"),
            "std": self._channels("std"),
            "precision": self.precision.name,
            "optimise": self.optimise,
            **self._source().identity(),
        }

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device.

        Raises:
            ValueError: if timm has no such model, or the tag is needed and absent.
            WeightsError: if the file is absent, damaged or not the expected one.
        """
        trunk = TimmTrunk(self._source().network())
        scaling = partial(standardise, mean=self._channels("mean"), std=self._channels("std"))
        rule, resolution = self._resize(), self._resolution()
        return Extractor(
            trunk,
            resolution,
            rule,
            scaling,
            device=device,
            precision=self.precision,
            optimise=self.optimise,
        )

    def _source(self) -> WeightSource:
        build = self._build()
        if self.weights == "random":
            architecture = f"timm_{self.model}_{self._resolution()}"
            return RandomWeights(architecture, build, self.seed)
        if self.weights == "hub":
            _require_tag(self.model)
            file = hub_file(self.model, option=OPTION)
            return HubWeights(build, WeightFile(file, self.weights_sha256, OPTION))
        path = Path(self.weights).expanduser()
        return FileWeights(build, (WeightFile(path, self.weights_sha256, OPTION),))

    def _build(self) -> Callable[..., nn.Module]:
        """The constructor; networks of a fixed input size are built for the resolution."""
        settings = self._settings()
        size: dict[str, Any] = {}
        if settings.fixed_input_size:
            size["img_size"] = self._resolution()
        return partial(timm.create_model, self.model, **size)

    def _settings(self) -> Any:
        """What timm keeps beside the weights: input size, interpolation, mean, std."""
        settings = timm.get_pretrained_cfg(self.model) if _exists(self.model) else None
        if settings is None:
            near = difflib.get_close_matches(self.model, timm.list_models(pretrained=True), 3, 0.4)
            raise ValueError(
                f"timm {timm.__version__} has no model {self.model!r}; near are: {', '.join(near)}"
            )
        return settings

    def _resolution(self) -> int:
        return self.resolution or int(self._settings().input_size[-1])

    def _resize(self) -> Resize:
        interpolation = self._settings().interpolation
        if self.resize is None and interpolation not in _RESIZE:
            raise ValueError(
                f"{self.model} asks for {interpolation!r} interpolation, which has no fixed rule; "
                "type backbone.timm.resize=pil_bicubic"
            )
        return self.resize or _RESIZE[interpolation]

    def _channels(self, name: str) -> list[float]:
        given = getattr(self, name)
        values = [float(value) for value in given or getattr(self._settings(), name)]
        if len(values) != 3:
            raise ValueError(f"backbone.timm.{name} has {len(values)} values, expected 3, for RGB")
        return values


@dataclass(frozen=True)
class HubWeights:
    """A hub file, which timm itself turns into the network's layout.

    Attributes:
        build: timm's constructor for the model.
        file: the downloaded file, checked as every other.
    """

    build: Callable[..., nn.Module]
    file: WeightFile

    def identity(self) -> dict[str, object]:
        """The file's content."""
        return {"weights_sha256": self.file.sha256_found}

    def network(self) -> nn.Module:
        """The network with these weights."""
        self.file.state()  # refuses what timm would read with fewer checks
        overlay = {"file": str(self.file.path), "custom_load": False}
        build = partial(self.build, pretrained=True, pretrained_cfg_overlay=overlay)
        try:
            return build_quietly(build)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[0]
            raise WeightsError(f"{self.file.path} does not fit the network: {first}") from error


def _exists(model: str) -> bool:
    """Whether timm knows the architecture, and the tag if there is one."""
    architecture, _, tag = model.partition(".")
    return timm.is_model(architecture) and (not tag or timm.is_model_pretrained(model))


def _require_tag(model: str) -> None:
    """Refuse a name whose weights would be whatever timm's default of the day is."""
    if "." not in model:
        tags = timm.list_pretrained(model)
        raise ValueError(
            f"backbone.timm.model={model} names {len(tags)} sets of weights; "
            f"type one of: {', '.join(tags)}"
        )
