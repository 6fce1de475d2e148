"""How often the intervals of ball shares hold the expected score; prints a table.

python tests/benchmarks/ball_coverage.py --draws 300
"""

import argparse

import torch

from metrics.neighbourhood import Neighbours
from metrics.prdc import Prdc
from metrics.rarity import Rarity

CASES = {"equal": (1.0, 0.0), "narrow": (0.7, 0.0), "shifted": (1.0, 0.4), "wide": (1.3, 0.0)}


def draw(rows: int, width: int, scale: float, shift: float, rng: torch.Generator) -> torch.Tensor:
    """Gaussian features with a decaying spectrum."""
    spectrum = torch.arange(1, width + 1, dtype=torch.float64) ** -0.5
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * spectrum * scale + shift


def coverage(case: str, reals: int, fakes: int, width: int, draws: int) -> None:
    """One row for each score: spread over draws, mean standard error, share of intervals right."""
    rng = torch.Generator().manual_seed(0)
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for _ in range(draws):
        real, fake = draw(reals, width, 1, 0, rng), draw(fakes, width, *CASES[case], rng)
        neighbours = Neighbours(real=real, fake=fake, wants=[*Prdc().wants(), *Rarity().wants()])
        for metric in (Prdc(), Rarity()):
            for name, each in metric.compute(neighbours=neighbours).scores.items():
                if each.interval and each.standard_error is not None:
                    row = (each.value, each.standard_error, *each.interval)
                    found.setdefault(f"{type(metric).__name__}.{name}", []).append(row)
    for name, rows in found.items():
        values, errors, low, high = torch.tensor(rows, dtype=torch.float64).T
        held = ((low <= values.mean()) & (values.mean() <= high)).double().mean()
        print(
            f"{case:8} N={reals} M={fakes} D={width} {name:24} mean {float(values.mean()):8.4f} "
            f"spread {float(values.std()):.4f} error {float(errors.mean()):.4f} held {held:.3f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    for case in CASES:
        coverage(case, 500, 400, 32, draws)
    coverage("equal", 300, 1000, 32, draws)
