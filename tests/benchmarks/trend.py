"""Seconds that TREND takes on 2,048 dimensions of 10,000 rows a side.

Run: python tests/benchmarks/trend.py [rows] [dimensions]
"""

import sys
import time

import torch

from metrics.trend import trend


def rectified(rows: int, width: int, *, shift: float, seed: int) -> torch.Tensor:
    """Rectified, correlated features averaged over nine places, as after pooling."""
    draw = torch.Generator().manual_seed(seed)
    mixing = torch.randn(64, width, generator=torch.Generator().manual_seed(0)) / 8
    total = torch.zeros(rows, width)
    for _ in range(9):
        total += (torch.randn(rows, 64, generator=draw) @ mixing - shift).clamp(min=0)
    return total / 9


def main() -> None:
    """Time one call."""
    rows, width = (int(given) for given in sys.argv[1:] or (10_000, 2_048))
    real = rectified(rows, width, shift=0.5, seed=1)
    fake = rectified(rows, width, shift=0.6, seed=2)
    begin = time.perf_counter()
    value = trend(real=real, fake=fake)
    seconds = time.perf_counter() - begin
    print(f"trend {value:.6f} of {rows} x {width} a side in {seconds:.1f} s")


if __name__ == "__main__":
    main()
