"""How far two results of one measurement may lie apart and still be the same."""

from collections.abc import Mapping
from typing import Any

FLOAT32 = 1e-5  # relative: what batch size and thread count may move in float32 features
NARROW = {"tf32": 1e-2, "fp16": 1e-2, "bf16": 5e-2}
"""Precision -> the same for narrower products, whose roundings a batch size or a kind of processor
also decides. bf16 keeps 8 bits: trained networks' features move by 4 % against float32, and a FID
by 2 %; tf32 and fp16 keep 11 bits, and get more than an eighth of it for what a fp16 sum loses."""
ABSOLUTE = 1e-7  # of scores, for those about zero


def relative_bound(backbone: Any) -> float:
    """What agrees in the arithmetic of a backbone.

    Args:
        backbone: its identity; one without a precision is of float32, and so is what is none.
    """
    precision = backbone.get("precision") if isinstance(backbone, Mapping) else None
    return NARROW.get(precision, FLOAT32) if isinstance(precision, str) else FLOAT32
