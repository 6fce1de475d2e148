"""Networks: backbones, generators, resizers and weight files; no Hydra, no metrics."""
