"""Stands for the unknown network that ready-made features came from."""

from dataclasses import dataclass

from models.backbone import Network


@dataclass(frozen=True)
class Precomputed:
    """Both sides of the comparison bring their features; nothing can be embedded."""

    def identity(self) -> dict[str, object]:
        """Says only that the features were given; their files have identities of their own."""
        return {"architecture": "precomputed"}

    def load(self, device: str = "cpu") -> Network:
        """Always refused.

        Raises:
            ValueError: features were given; there is no network.
        """
        raise ValueError(
            "backbone precomputed: features were given; there is no network to embed images with. "
            "Type dataset=features and generator=features, or another backbone"
        )
