"""Images and networks whose features one knows by heart."""

import torch

from bench.cache import FeatureCache
from bench.features import Extractor
from bench.images import ImageSource
from models.backbone import Embedding


class Ramp(ImageSource):
    """Image k is filled with k; counts how often each image is read."""

    def __init__(self, count=25):
        self.count, self.reads = count, []
        self.labels = torch.arange(count) % 3

    def __len__(self):
        return self.count

    def read(self, indices):
        self.reads += list(indices)
        images = [torch.full((3, 4, 4), index, dtype=torch.uint8) for index in indices]
        return torch.stack(images)

    def content(self):
        return {"fingerprint": f"ramp{self.count}"}


class Mean:
    """A backbone whose feature is the image's mean, times a factor."""

    def __init__(self, factor=1.0, poison=None):
        self.factor, self.poison, self.loads = factor, poison, 0

    def identity(self):
        return {"architecture": "mean", "factor": self.factor}

    def load(self, device="cpu"):
        self.loads += 1

        def network(images):
            means = images.float().mean(dim=(2, 3)) * self.factor
            if self.poison is not None:
                means[means[:, 0] == self.poison] = float("nan")
            return Embedding(means, means.repeat(1, 2))

        return network


def extract(tmp_path, source, count, backbones, batch_size=4, workers=2):
    extractor = Extractor(FeatureCache(tmp_path / "cache"), "cpu", batch_size, workers)
    identities = {name: backbone.identity() for name, backbone in backbones.items()}
    return extractor.extract(source, count, backbones, "real", identities)
