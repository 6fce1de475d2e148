"""Sampling is dear: a live generator makes each image once, for all backbones."""

import importlib
from collections import Counter

import pytest

from bench.job import GRID_IMAGES

GENERATOR = """
import torch
class Counting:
    resolution, num_classes = 8, 0
    sampled = []  # (run seed, index) of every image it has made
    def sample(self, seeds, labels=None, condition=None, pose=None):
        self.sampled.extend((seed.run, seed.index) for seed in seeds)
        noise = torch.stack([seed.normal(192) for seed in seeds]).reshape(-1, 3, 8, 8)
        return (128 + 30 * noise).clamp(0, 255).to(torch.uint8)
"""
RUN, IMAGES = 1, 60  # the probe that identifies the generator's code is of run seed 0
WORDS = [
    *("generator=custom", "generator.name=counting", "generator.sampling_batch=4", f"seed={RUN}"),
    *("generator.make={_target_: counting.Counting}", f"protocol.num_fake={IMAGES}"),
    *("protocol.num_real=40", "batch_size=16", "metrics=[fid,precision_recall]"),
]
BACKBONES = {
    "resnet18_random": ["backbone.resnet18_random.resolution=32"],
    "timm": ["backbone.timm.model=test_vit", "backbone.timm.weights=random"],
}


@pytest.fixture
def sampled(tmp_path, monkeypatch, measure):
    """Backbones -> how often a job with all of them makes each image."""
    (tmp_path / "counting.py").write_text(GENERATOR)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SALON_ALLOW_TARGETS", "counting")
    made = importlib.import_module("counting").Counting.sampled

    def count(*backbones):
        made.clear()
        options = [word for name in backbones for word in BACKBONES[name]]
        folders = [
            f"paths.{name}={tmp_path / name}{len(backbones)}" for name in ("cache", "results")
        ]
        _, report = measure(*WORDS, *options, *folders, f"backbone=[{','.join(backbones)}]")
        assert report.code == 0 and len(report.lines) == 2 * len(backbones)
        return Counter(index for run, index in made if run == RUN)

    return count


def test_each_image_is_sampled_once_for_two_backbones(sampled):
    """The first are sampled again: to see that the generator works, and for the grid of images."""
    times = sampled(*BACKBONES)
    assert sorted(times) == list(range(IMAGES))
    assert {times[index] for index in range(GRID_IMAGES, IMAGES)} == {1}


def test_a_second_backbone_samples_nothing_more(sampled):
    assert sampled(*BACKBONES) == sampled("resnet18_random")
