"""One image file's bytes to uint8 (3, H, W) by stated rules; what cannot be exact is refused.

Grey, palette and CMYK become RGB by Pillow's own conversion and are counted. EXIF orientation is
not applied (the peers do not) and counted; Pillow itself turns TIFF files, as it does for them.
"""

import io
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.errors import DatasetError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # no format that runs a program
MAX_PIXELS = 64_000_000
ORIENTATION = 0x0112  # EXIF and TIFF tag; 1 is upright
BITS_PER_SAMPLE = 258  # TIFF tag
BYTES_PER_PIXEL = 16  # no honest file needs more
BYTES_OF_HEADERS = 1 << 20


class BadImageError(DatasetError):
    """One image that is refused; the message is the reason, the caller adds the file name."""


class BitDepth(StrEnum):
    """What to do with more than 8 bits per channel."""

    refuse = "refuse"
    rescale = "rescale"


class Alpha(StrEnum):
    """What to do with transparent pixels: refuse them, or the colour to lay them over."""

    refuse = "refuse"
    white = "white"
    black = "black"


@dataclass(frozen=True)
class Decoded:
    """One image.

    Attributes:
        pixels: uint8 (3, H, W), RGB.
        kinds: what was converted: grey, palette, cmyk, rescaled, composited, opaque_alpha,
            exif_orientation.
    """

    pixels: Tensor
    kinds: tuple[str, ...] = ()


def decode_image(
    data: bytes,
    *,
    bit_depth: BitDepth = BitDepth.refuse,
    alpha: Alpha = Alpha.refuse,
    max_pixels: int = MAX_PIXELS,
) -> Decoded:
    """Decode one image.

    Args:
        data: the whole file.
        bit_depth: `rescale` maps 16-bit grey 0..65535 to 0..255 by round(v / 257).
        alpha: the background for pixels with alpha < 255; fully opaque alpha is dropped.
        max_pixels: limit on width x height, read from the header before anything is decoded.

    Raises:
        BadImageError: for what is no image, is damaged, animated, too large, too deep or
            transparent; the message is the reason alone.
    """
    image = _open(data, max_pixels)
    _refuse_frames(image)
    upright = _tiff_upright(image)
    deep = _is_deep(image, data)
    _load(image)
    kinds: list[str] = []
    if not (upright and _exif_upright(image)):
        kinds.append("exif_orientation")
    pixels = _rescaled(image, bit_depth, kinds) if deep else _eight_bit(image, alpha, kinds)
    return Decoded(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), tuple(kinds))


def check_file_size(size: int, *, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse a file that is far larger than any image within the pixel limit.

    Raises:
        BadImageError: beyond 16 bytes a pixel.
    """
    if size > BYTES_PER_PIXEL * max_pixels + BYTES_OF_HEADERS:
        raise BadImageError(
            f"has {size:,} bytes, too many for an image of {max_pixels:,} pixels; "
            "set max_pixels if it is meant."
        )


def _open(data: bytes, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:  # Pillow's own limit, also from the header
        raise _too_large(str(error), max_pixels) from error
    except Exception as error:  # Pillow's plugins raise a dozen classes on foreign bytes
        raise BadImageError(what_it_is(data)) from error
    if image.width * image.height > max_pixels:
        raise _too_large(f"the header says {image.width}x{image.height}", max_pixels)
    return image


def _too_large(found: str, max_pixels: int) -> BadImageError:
    return BadImageError(
        f"too many pixels: {found}, the limit is {max_pixels:,}; set max_pixels if it is meant."
    )


def what_it_is(data: bytes) -> str:
    """Says what bytes that are no readable image are, and what to do."""
    start = data[:512].lstrip().lower()
    if not data:
        return "is an empty file (0 bytes); copy it again."
    if start.startswith(b"version https://git-lfs"):
        return "is a git-LFS pointer, not an image; run git lfs pull."
    if start.startswith((b"<!doctype html", b"<html")):
        return "is an HTML page, not an image; the download went wrong."
    if re.fullmatch(rb"[\t\n\r\x20-\x7e]+", data[:512]):
        return "is a text file, not an image; remove it or copy the image again."
    return f"is not a readable image ({', '.join(FORMATS)}), or its header is damaged."


def _refuse_frames(image: Image.Image) -> None:
    try:
        frames = getattr(image, "n_frames", 1)
    except Exception as error:  # counting frames parses the file, see _open
        raise BadImageError(f"is damaged: {error}.") from error
    if frames > 1:
        raise BadImageError(f"holds {frames} frames; save the one that is meant as a still image.")


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except Exception as error:  # likewise
        raise BadImageError(
            f"is truncated or damaged: {error}; copy it again, or leave such images out with "
            "dataset.on_bad_image=skip (for samples generator.source.on_bad_image)."
        ) from error


def _tiff_upright(image: Image.Image) -> bool:
    """Pillow forgets a TIFF's orientation while it loads, so ask before."""
    return getattr(image, "tag_v2", {}).get(ORIENTATION, 1) == 1


def _exif_upright(image: Image.Image) -> bool:
    if not ("exif" in image.info or "Raw profile type exif" in image.info):
        return True
    try:
        return image.getexif().get(ORIENTATION, 1) == 1
    except Exception:  # a broken EXIF block says nothing about the pixels
        return True


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """More than 8 bits a channel; Pillow opens 16-bit colour as RGB and drops the low byte."""
    if image.mode.startswith(("I", "F")):
        return True
    if image.format == "PNG":
        return _png_is_deep(image, data)
    bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, (8,))
    return max(np.atleast_1d(bits)) > 8


def _png_is_deep(image: Image.Image, data: bytes) -> bool:
    """By the header, and by what Pillow unpacks: of several IHDR chunks it takes the last."""
    if data[12:16] != b"IHDR":
        raise BadImageError("is damaged: a PNG begins with its IHDR chunk; save it again.")
    return data[24] == 16 or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _rescaled(image: Image.Image, bit_depth: BitDepth, kinds: list[str]) -> np.ndarray:
    """16-bit grey to three equal uint8 channels."""
    if bit_depth != BitDepth.rescale:
        raise BadImageError(
            f"has more than 8 bits per channel (mode {image.mode}); convert it to 8 bits, or set "
            "dataset.bit_depth=rescale (for samples generator.source.bit_depth) for 16-bit grey."
        )
    if not image.mode.startswith("I") or "transparency" in image.info:
        raise BadImageError(
            f"cannot be rescaled exactly (mode {image.mode}); only 16-bit grey can. "
            "Convert it to 8 bits."
        )
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise BadImageError(
            f"holds values {values.min()}..{values.max()}; bit_depth=rescale maps 0..65535. "
            "Convert it to 8 bits."
        )
    kinds += ["grey", "rescaled"]
    grey = np.rint(values / 257).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _eight_bit(image: Image.Image, alpha: Alpha, kinds: list[str]) -> np.ndarray:
    kind = _kind(image)
    if kind is not None:
        kinds.append(kind)
    try:
        if image.has_transparency_data:
            return _without_alpha(np.asarray(image.convert("RGBA")), alpha, kinds)
        return np.asarray(image.convert("RGB"))
    except ValueError as error:
        raise BadImageError(f"cannot be converted to RGB: {error}.") from error


def _kind(image: Image.Image) -> str | None:
    kinds: dict[str, Any] = {
        "1": "grey", "L": "grey", "LA": "grey", "La": "grey",
        "P": "palette", "PA": "palette",
        "CMYK": "cmyk",
        "RGB": None, "RGBA": None, "RGBa": None, "RGBX": None, "YCbCr": None,
    }  # fmt: skip
    if image.mode not in kinds:
        raise BadImageError(f"has Pillow mode {image.mode}; convert it to RGB.")
    return kinds[image.mode]


def _without_alpha(rgba: np.ndarray, alpha: Alpha, kinds: list[str]) -> np.ndarray:
    """(H, W, 4) to (H, W, 3): (c * a + background * (255 - a)) / 255, rounded."""
    colour, opacity = rgba[:, :, :3], rgba[:, :, 3:].astype(np.uint32)
    if opacity.min() == 255:
        kinds.append("opaque_alpha")
        return colour
    if alpha == Alpha.refuse:
        raise BadImageError(
            f"is transparent (lowest alpha {opacity.min()}); set dataset.alpha=white or =black "
            "(for samples generator.source.alpha) to say what lies behind it."
        )
    kinds.append("composited")
    background = 255 if alpha == Alpha.white else 0
    mixed = colour * opacity + background * (255 - opacity)
    return ((mixed + 127) // 255).astype(np.uint8)
