"""Text towers by name: embeddings of texts, in the space of the image tower of the same name."""

from typing import Any

from models.texts.clip_text import ClipText, Texts


def load(name: str, *, device: str = "cpu", **options: Any) -> Texts:
    """Load a text tower without a config.

    Example: `load("clip_vitb32")(["a photo of a cat"])`.

    Args:
        name: of an image tower with a text tower, such as "clip_vitb32".
        device: where the network runs.
        options: fields of `ClipText`.

    Returns:
        n texts -> (n, P) float32, as long as the image tower's features.

    Raises:
        ValueError: if the name or an option is unknown.
        models.weights.WeightsError: if the weights are absent, damaged or not the named ones.
    """
    return describe(name, **options).load(device)


def describe(name: str, **options: Any) -> ClipText:
    """The tower's description; touches no file."""
    try:
        return ClipText(name, **options)
    except TypeError as error:
        known = [field for field in ClipText.__dataclass_fields__ if field != "tower"]
        raise ValueError(f"text tower {name}: {error}; it has: {', '.join(known)}") from error
