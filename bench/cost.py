"""What an extraction took, for the record."""

from dataclasses import dataclass


@dataclass
class Cost:
    """What an extraction took; zero images where everything came from the cache."""

    images: int = 0
    seconds: float = 0.0
    reused: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(
            self.images + other.images, self.seconds + other.seconds, self.reused + other.reused
        )

    def summary(self) -> dict[str, float | int]:
        """Images computed and reused, seconds, and images per second."""
        rate = round(self.images / self.seconds, 1) if self.seconds else 0.0
        return {
            "images": self.images,
            "reused": self.reused,
            "seconds": round(self.seconds, 2),
            "images_per_second": rate,
        }
