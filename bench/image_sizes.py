"""Whether both sides show images of one size; a score of two sizes measures the resizing too."""

from bench.images import ImageSource


def other_size(real: object, fake: object) -> str | None:
    """E.g. "real images are 64 x 64, generated ones 32 x 32"; None where equal, or not known.

    Args:
        real: the reference's source; one without images has no size.
        fake: the generated side's.
    """
    if not isinstance(real, ImageSource) or not isinstance(fake, ImageSource):
        return None
    if real.size is None or fake.size is None or real.size == fake.size:
        return None
    told = [f"{height} x {width}" for height, width in (real.size, fake.size)]
    return f"real images are {told[0]}, generated ones {told[1]}"
