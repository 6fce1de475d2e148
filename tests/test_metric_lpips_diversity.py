import itertools

import pytest
import torch

from metrics.lpips_diversity import (
    Pairing,
    _distinct,
    generator_lpips_diversity,
    lpips_diversity,
)
from models.perceptual.lpips import Lpips, Net


class InMemory:
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def read(self, indices):
        return self.images[indices]


def levels(*values):
    """Images of one grey level each."""
    return torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def gap(first, second):
    """|a - b| of the levels, for images in [-1, 1]."""
    return (first - second).abs().mean(dim=(1, 2, 3)) * 127.5


def measure(images, labels, *, seed=0, **settings):
    return lpips_diversity(
        images=InMemory(images),
        labels=torch.tensor(labels),
        distance=gap,
        rng=torch.Generator().manual_seed(seed),
        **settings,
    )


def test_two_images_a_class_by_hand():
    found = measure(levels(0, 10, 40, 70), [5, 2, 5, 2], pairs_per_class=1)
    assert found.classes.tolist() == [2, 5]
    assert found.by_class.tolist() == pytest.approx([60, 40], rel=1e-5)
    assert found.mean == pytest.approx(50, rel=1e-5) and found.standard_error is None


def test_all_distinct_pairs_give_the_mean_over_all_pairs():
    values = [0, 3, 10, 100, 200]
    found = measure(levels(*values), [0] * 5, pairs_per_class=10, pairing=Pairing.distinct)
    expected = [abs(a - b) for a, b in itertools.combinations(values, 2)]
    assert sorted(found.distances[0].tolist()) == pytest.approx(sorted(expected), rel=1e-5)
    assert found.standard_error is None  # pairs share images


@pytest.mark.parametrize("count", [2, 3, 50, 4000])
def test_pairs_are_numbered_without_gaps_or_repeats(count):
    pairs = min(count * (count - 1) // 2, 1000)
    found = _distinct(count, pairs, torch.Generator().manual_seed(0))
    assert len({tuple(pair) for pair in found.tolist()}) == pairs
    assert (found[:, 0] >= 0).all() and (found[:, 0] < found[:, 1]).all()
    assert (found < count).all()


def test_disjoint_pairs_use_no_image_twice():
    seen = []

    class Watched(InMemory):
        def read(self, indices):
            seen.extend(indices)
            return super().read(indices)

    images = torch.zeros(40, 3, 2, 2, dtype=torch.uint8)
    lpips_diversity(
        images=Watched(images),
        labels=torch.arange(40) % 2,
        distance=gap,
        rng=torch.Generator().manual_seed(0),
        pairs_per_class=10,
        batch_size=3,
    )
    assert sorted(seen) == list(range(40))


def test_a_collapsed_class_counts_as_zero_and_classes_count_alike():
    images = torch.cat([levels(*[9] * 30), levels(0, 100)])
    found = measure(images, [0] * 30 + [1] * 2, pairs_per_class=1)
    assert found.by_class.tolist() == pytest.approx([0, 100], rel=1e-5)
    assert found.mean == pytest.approx(50, rel=1e-5)


def test_distances_between_classes_play_no_part():
    found = measure(levels(*[0, 255] * 20), [0, 1] * 20, pairs_per_class=10)
    assert found.mean == 0


def test_the_seed_and_nothing_else_decides_the_pairs():
    rng = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (60, 3, 2, 2), dtype=torch.uint8, generator=rng)
    labels, state = [0, 1, 2] * 20, torch.random.get_rng_state()
    for pairing in Pairing:
        settings = {"pairs_per_class": 8, "pairing": pairing}
        first = measure(images, labels, **settings)
        assert torch.equal(first.distances, measure(images, labels, **settings).distances)
        parts = measure(images, labels, batch_size=3, **settings)
        assert torch.equal(first.distances, parts.distances)
        assert first.mean != measure(images, labels, seed=1, **settings).mean
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_standard_error_is_the_spread_of_repeated_scores():
    rng = torch.Generator().manual_seed(0)

    def sample(labels, stream):
        level = torch.rand(len(labels), generator=stream) * 50 * (1 + labels)
        return level.round().byte().view(-1, 1, 1, 1).expand(-1, 3, 2, 2)

    found = [
        generator_lpips_diversity(
            sample=sample, classes=torch.tensor([0, 2]), distance=gap, rng=rng, pairs_per_class=30
        )
        for _ in range(300)
    ]
    spread = float(torch.tensor([one.mean for one in found]).std())
    mean_error = sum(one.standard_error for one in found) / len(found)
    assert mean_error == pytest.approx(spread, rel=0.15)  # 300 draws know the spread to 4 %
    # E |a - b| of two uniform levels is a third of their range: 50 / 3 and 150 / 3
    assert sum(one.mean for one in found) / 300 == pytest.approx(100 / 3, rel=0.02)


def test_works_with_lpips_itself():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8, generator=rng)
    found = lpips_diversity(
        images=InMemory(images),
        labels=torch.tensor([0] * 4 + [1] * 4),
        distance=Lpips(net=Net.squeeze, weights="random").load(),
        rng=rng,
        pairs_per_class=2,
    )
    assert found.distances.shape == (2, 2) and (found.distances > 0).all()


def test_refuses_classes_and_labels_that_give_no_pairs():
    images = levels(1, 2, 3, 4, 5)
    with pytest.raises(ValueError, match="class 7 has 2 images, which give 1 disjoint pairs"):
        measure(levels(*range(6)), [0, 7, 0, 7, 0, 0], pairs_per_class=2)
    with pytest.raises(ValueError, match="class 7 has 1 images, which give 0 distinct pairs"):
        measure(images, [0, 0, 0, 7, 0], pairs_per_class=1, pairing=Pairing.distinct)
    with pytest.raises(ValueError, match=r"labels: found torch\.int64 of shape .* for 5 images"):
        measure(images, [0, 0])
    with pytest.raises(ValueError, match="found 0 classes"):
        generator_lpips_diversity(
            sample=lambda labels, rng: images,
            classes=torch.tensor([], dtype=torch.int64),
            distance=gap,
            rng=torch.Generator(),
        )
