"""A random FID Inception of the published layout, images to feed it, and presets on both."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.fid_inception import FidInception


def made_weights(folder):
    """A plain dict of the 472 published tensors, with values that keep features finite."""
    stream = np.random.default_rng(0)
    state = {
        name: torch.from_numpy(_values(stream, name, tuple(tensor.shape)))
        for name, tensor in FidInception().state_dict().items()
        if "num_batches_tracked" not in name
    }
    path = folder / "random.pth"
    torch.save(state, path)
    return path


def _values(stream, name, shape):
    if name.endswith(("bn.weight", "running_var")):
        return stream.uniform(0.8, 1.2, shape).astype(np.float32)
    if name == "fc.weight":  # logits apart, so that an Inception Score is not 1
        return stream.standard_normal(shape, dtype=np.float32) * np.float32(0.15)
    if len(shape) == 1:
        return stream.normal(0, 0.1, shape).astype(np.float32)
    deviation = (2 / np.prod(shape[1:])) ** 0.5
    return (stream.standard_normal(shape, dtype=np.float32) * deviation).astype(np.float32)


def made_images(side, count, seed):
    """uint8 (count, 3, side, side): smooth colours with noise, of a contrast that varies."""
    stream = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=stream) * 255
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    noise = 60 * torch.rand(count, 1, 1, 1, generator=stream)
    return (smooth + noise * torch.randn(smooth.shape, generator=stream)).clamp(0, 255).byte()


class Sides:
    """Real and fake images, as tensors and as folders of PNG files."""

    def __init__(self, folder, side, count=12):
        self.side = side
        self.real = made_images(side, count, seed=side)
        self.fake = made_images(side, count, seed=side + 1)
        self.folders = {name: folder / name for name in ("real", "fake")}
        for name, path in self.folders.items():
            path.mkdir()
            for index, image in enumerate(getattr(self, name)):
                picture = Image.fromarray(image.permute(1, 2, 0).numpy())
                picture.save(path / f"{index:03d}.png")

    def words(self, weights, cache: Path):
        """What `salon score` is told of them; one cache serves presets of equal pixels."""
        network = ["backbone=[inception]", f"backbone.inception.weights={weights}"]
        return [*self.folder_words(cache), *network]

    def folder_words(self, cache: Path):
        """The same without a backbone."""
        count = len(self.real)
        return [
            *("dataset=folder", f"dataset.path={self.folders['real']}"),
            *("generator=folder", f"generator.path={self.folders['fake']}"),
            *(f"protocol.num_real={count}", f"protocol.num_fake={count}"),
            *(f"batch_size={count}", "device=cpu", f"paths.cache={cache}"),
        ]


@contextmanager
def pytorch_fids_network(weights, layer=2048):
    """pytorch-fid's own code of the network, on scaled 299 px images -> [(n, layer, h, w)]."""
    peer = pytest.importorskip("pytorch_fid.inception")
    state = torch.load(weights, weights_only=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: state)
        block = peer.InceptionV3.BLOCK_INDEX_BY_DIM[layer]
        yield peer.InceptionV3([block], resize_input=False, normalize_input=False).eval()


def scores(report):
    """Score -> value, of all metrics of one job."""
    assert not report.code, report.reasons()
    return {name: value for line in report.lines for name, value in line.scores.items()}
