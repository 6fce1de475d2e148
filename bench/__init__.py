"""Runs things: the only place that knows Hydra, the disk, SLURM and wandb."""
