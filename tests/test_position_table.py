import pytest
import torch
from plain_vit import hub_rule
from timm.layers import resample_abs_pos_embed

from models.position_table import resample
from models.weights import WeightsError


def table(side, width=6):
    """Smooth, as trained tables are."""
    place = torch.linspace(0, 3, side)
    waves = torch.stack([torch.sin(place * (k + 1)) for k in range(width)], -1)
    patches = (waves[:, None] + waves.flip(-1)[None]).reshape(1, side * side, width)
    return torch.cat([torch.full((1, 1, width), 7.0), patches], 1)


@pytest.mark.parametrize(("trained", "side"), [(37, 16), (37, 32), (28, 8), (28, 36)])
def test_the_table_is_that_of_the_hubs_rule(trained, side):
    found, expected = resample(table(trained), side), hub_rule(table(trained), side)
    assert found.shape == (1, 1 + side * side, 6)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)  # the rule in float64


def test_a_table_of_the_same_grid_is_untouched():
    assert torch.equal(resample(table(37), 37), table(37))


def test_the_class_tokens_row_stays():
    assert torch.equal(resample(table(37), 16)[:, 0], table(37)[:, 0])


def test_it_is_not_the_table_of_timm():
    ours, theirs = resample(table(37), 16), resample_abs_pos_embed(table(37), [16, 16])
    assert (ours - theirs)[:, 1:].norm() > 1e-3 * theirs[:, 1:].norm()


@pytest.mark.parametrize("shape", [(1, 8, 6), (2, 10, 6), (10, 6), (1, 1, 6)])
def test_what_is_no_square_of_patches_is_refused(shape):
    with pytest.raises(WeightsError, match=r"expected \(1, 1 \+ P \* P, D\)"):
        resample(torch.zeros(shape), 2)
