"""How long before a job's time limit SLURM may warn it."""

from omegaconf import DictConfig

from bench.errors import ConfigError

MARGIN_SECONDS = 60  # SLURM may warn that much earlier than asked


def comes_too_early(minutes: float, warning_seconds: float) -> bool:
    """Whether the warning could come before the job has begun, and end it unheard."""
    return 60 * minutes <= warning_seconds + MARGIN_SECONDS


def longest_warning(minutes: float) -> float:
    """Seconds before the limit from which submitit's `has_timed_out` knows the limit as such.

    It takes an earlier warning for pre-emption, and such an attempt does not count.
    """
    return max(0.2 * 60 * minutes, 600) - MARGIN_SECONDS


def check_launcher(config: DictConfig) -> None:
    """Hold the limit and the warning of Hydra's own SLURM launcher against each other.

    Args:
        config: with the node `hydra`.

    Raises:
        ConfigError: if the warning could come before the job has begun.
    """
    launcher = config.hydra.launcher
    minutes, seconds = launcher.get("timeout_min"), launcher.get("signal_delay_s")
    if minutes is not None and seconds is not None and comes_too_early(minutes, seconds):
        raise ConfigError(
            f"hydra.launcher.timeout_min={minutes} with signal_delay_s={seconds}: SLURM may warn "
            f"{MARGIN_SECONDS} s early, and would do so before the job has begun; type a longer "
            "limit or a shorter warning."
        )
