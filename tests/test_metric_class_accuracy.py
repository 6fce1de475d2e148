import math

import pytest
import torch
from sklearn.metrics import top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_accuracy

from metrics.class_accuracy import ClassAccuracy, LogitTies, class_ranks
from metrics.intervals import wilson_interval


def logits(*, rows=200, classes=9, seed=0):
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed))


def labels(*, rows=200, classes=9, seed=1):
    return torch.randint(classes, (rows,), generator=torch.Generator().manual_seed(seed))


def test_ranks_by_hand():
    values = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    assert class_ranks(logits=values, labels=torch.tensor([0, 1, 2])).tolist() == [0, 2, 1]


def test_equal_logits_follow_the_named_rule():
    values, asked = torch.zeros(4, 6), torch.tensor([0, 1, 2, 5])
    assert class_ranks(logits=values, labels=asked).tolist() == [0, 1, 2, 5]
    against = class_ranks(logits=values, labels=asked, ties=LogitTies.against)
    assert against.tolist() == [5, 5, 5, 5]
    found = ClassAccuracy().compute(fake_logits=values, fake_labels=asked)
    assert found.flags == {"tied_labels": 4}


@pytest.mark.parametrize(("score", "k"), [("top1", 1), ("top5", 5)])
def test_equals_sklearn_and_torchmetrics(score, k):
    values, asked = logits(), labels()
    found = ClassAccuracy().compute(fake_logits=values, fake_labels=asked).scores[score].value
    assert found == pytest.approx(top_k_accuracy_score(asked, values, k=k, labels=range(9)))
    peer = multiclass_accuracy(values, asked, num_classes=9, top_k=k, average="micro")
    assert found == pytest.approx(float(peer), rel=1e-6)  # theirs is float32


def test_columns_are_what_the_scores_are_means_of():
    found = ClassAccuracy().compute(fake_logits=logits(), fake_labels=labels())
    for score, estimate in found.scores.items():
        column = found.per_image["fake"][score]
        assert set(column.tolist()) <= {0.0, 1.0}
        assert float(column.mean()) == estimate.value
        assert estimate.interval == wilson_interval(estimate.value, 200)


@pytest.mark.parametrize("classes", [2, 5])
def test_five_guesses_among_five_classes_say_nothing(classes):
    values, asked = logits(classes=classes), labels(classes=classes)
    found = ClassAccuracy().compute(fake_logits=values, fake_labels=asked)
    assert math.isnan(found.scores["top5"].value)
    assert found.scores["top5"].undefined == "5 guesses hold every class"
    assert found.scores["top1"].undefined is None


def test_more_outputs_than_labels_are_fine():
    values = torch.full((3, 1008), -1.0)
    values[[0, 1, 2], [999, 7, 1005]] = 1.0
    found = ClassAccuracy().compute(fake_logits=values, fake_labels=torch.tensor([999, 7, 3]))
    assert found.scores["top1"].value == pytest.approx(2 / 3)


def test_refusals_name_the_row_and_the_range():
    values, asked = logits(rows=10), labels(rows=10)
    for wrong in (-1, 9):
        asked[4] = wrong
        with pytest.raises(ValueError, match=rf"fake_labels: row 4 has label {wrong}.* 0 to 8"):
            class_ranks(logits=values, labels=asked)
    with pytest.raises(ValueError, match="found 9 labels for 10 rows"):
        class_ranks(logits=values, labels=labels(rows=9))
    with pytest.raises(ValueError, match=r"fake_labels: found torch.float32.*expected integers"):
        class_ranks(logits=values, labels=labels(rows=10).float())
