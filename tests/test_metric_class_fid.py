import pytest
import torch

from metrics.class_fid import ClassFid, class_fid
from metrics.fid import frechet_distance


def features(*, rows, width=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng)


def given(classes=4):
    return {
        "real": features(rows=120),
        "fake": features(rows=80, seed=1),
        "real_labels": torch.arange(120) % classes,
        "fake_labels": torch.arange(80) % classes,
    }


def test_two_classes_on_a_line_by_hand():
    found = class_fid(
        real=torch.tensor([[0.0], [2.0], [10.0], [12.0]]),
        fake=torch.tensor([[1.0], [3.0], [15.0], [17.0]]),
        real_labels=torch.tensor([0, 0, 1, 1]),
        fake_labels=torch.tensor([0, 0, 1, 1]),
    )
    assert found == pytest.approx({0: 1.0, 1: 25.0})


def test_mean_and_curve_are_the_distances_within_each_class():
    sides = given()
    found = ClassFid().compute(**sides)
    expected = [
        frechet_distance(
            real=sides["real"][sides["real_labels"] == label],
            fake=sides["fake"][sides["fake_labels"] == label],
        )
        for label in range(4)
    ]
    curve = found.curves["classes"]
    assert curve["class"].tolist() == [0, 1, 2, 3] and not found.flags
    assert curve["num_real"].tolist() == [30] * 4 and curve["num_fake"].tolist() == [20] * 4
    assert curve["fid"].tolist() == pytest.approx(expected, rel=1e-12)
    assert found.scores["class_fid"].value == pytest.approx(sum(expected) / 4, rel=1e-12)


def test_swapped_classes_are_seen_where_fid_sees_nothing():
    real = torch.cat([features(rows=50), features(rows=50, seed=1) + 5])
    labels = torch.arange(100) // 50
    sides = {"real": real, "fake": real.clone(), "real_labels": labels}
    swapped = ClassFid().compute(**sides, fake_labels=1 - labels)
    assert frechet_distance(real=real, fake=real) == pytest.approx(0, abs=1e-9)
    assert swapped.scores["class_fid"].value > 50


def test_classes_of_one_side_or_one_image_are_left_out_and_flagged():
    sides = given()
    sides["real_labels"][sides["real_labels"] == 3] = 7  # 7 is only real, 3 only fake
    sides["fake_labels"] = torch.where(sides["fake_labels"] == 2, 9, sides["fake_labels"])
    sides["fake_labels"][2] = 2  # one image of class 2 is left
    found = ClassFid().compute(**sides)
    assert found.curves["classes"]["class"].tolist() == [0, 1]
    assert found.flags == {"classes_left_out": 4}


def test_classes_with_few_images_are_flagged():
    found = ClassFid().compute(
        real=features(rows=120, width=25),
        fake=features(rows=80, width=25, seed=1),
        real_labels=torch.arange(120) % 4,
        fake_labels=torch.arange(80) % 4,
    )
    assert found.flags == {"rank_deficient_classes": 4}


def test_refuses_labels_that_do_not_match():
    with pytest.raises(ValueError, match=r"real_labels: found .* expected \(120,\) integers"):
        class_fid(**{**given(), "real_labels": torch.arange(9)})
    with pytest.raises(ValueError, match=r"fake_labels: found torch\.float32"):
        class_fid(**{**given(), "fake_labels": torch.zeros(80)})
    with pytest.raises(ValueError, match="no class has 2 images on both sides"):
        class_fid(**{**given(), "fake_labels": torch.arange(80) % 4 + 10})
