"""Reading and resizing go on while the networks run."""

from threading import Event

import pytest
import torch
from made_images import Ramp, extract

from models.backbone import Embedding

PATIENCE = 30  # seconds; spent only where the test fails


class Watched(Ramp):
    """Says when the second batch of four is being read."""

    def __init__(self):
        super().__init__(8)
        self.second_is_read = Event()

    def read(self, indices):
        if 4 in indices:
            self.second_is_read.set()
        return super().read(indices)


class Holding:
    """A backbone that keeps each batch until something has happened, or loses patience."""

    def __init__(self, awaited):
        self.awaited, self.came = awaited, []

    def identity(self):
        return {"architecture": "holding"}

    def load(self, device="cpu"):
        return self

    def __call__(self, images):
        self.came.append(self.awaited.wait(PATIENCE))
        return Embedding(images.float().mean(dim=(2, 3)), None)


class HoldingPrepared(Holding):
    """Likewise, until the second batch is being prepared."""

    def prepare(self, images):
        if images[0, 0, 0, 0] == 4:
            self.awaited.set()
        return images

    def embed(self, prepared):
        return self(prepared)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_second_batch_is_read_while_a_network_holds_the_first(tmp_path, workers):
    source = Watched()
    backbone = Holding(source.second_is_read)
    extract(tmp_path, source, 8, {"h": backbone}, batch_size=4, workers=workers)
    assert backbone.came == [True, True]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_second_batch_is_resized_while_a_network_holds_the_first(tmp_path, workers):
    backbone = HoldingPrepared(Event())
    found, _ = extract(tmp_path, Ramp(8), 8, {"h": backbone}, batch_size=4, workers=workers)
    assert backbone.came == [True, True]
    assert torch.equal(found["h"].features[:, 0], torch.arange(8.0))
