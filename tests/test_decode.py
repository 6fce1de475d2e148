import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from bench.crop import Crop, Filter, check_crop, prepare
from bench.decode import Alpha, BadImageError, BitDepth, check_file_size, decode_image
from bench.errors import ConfigError, DatasetError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)


def encoded(picture, format="PNG", **options):
    file = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(file, format, **options)
    return file.getvalue()


def test_a_colour_png_comes_back_as_channels_first_and_untouched():
    decoded = decode_image(encoded(COLOUR))
    assert decoded.pixels.shape == (3, 6, 5)
    assert decoded.pixels.dtype == torch.uint8
    assert np.array_equal(decoded.pixels.permute(1, 2, 0).numpy(), COLOUR)
    assert decoded.kinds == ()


@pytest.mark.parametrize("mode, format, kind", [
    ("L", "PNG", "grey"), ("1", "PNG", "grey"), ("P", "PNG", "palette"),
    ("CMYK", "JPEG", "cmyk"), ("L", "WEBP", None), ("RGB", "BMP", None), ("L", "TIFF", "grey"),
])  # fmt: skip
def test_other_modes_become_rgb_as_pillow_has_them_and_are_counted(mode, format, kind):
    data = encoded(Image.fromarray(COLOUR).convert(mode), format)
    decoded = decode_image(data)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(decoded.pixels.permute(1, 2, 0).numpy(), expected)
    assert decoded.kinds == (() if kind is None else (kind,))


def chunk(kind, body):
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def header_chunk(bits):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, bits, 2, 0, 0, 0))


def deep_colour_png(before=b""):
    """16-bit RGB, which Pillow opens as RGB and cuts to the high byte."""
    pixels = b"\0" + struct.pack(">6H", 0, 300, 65535, 1, 2, 3)
    body = header_chunk(16) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + before + body


GREY_16 = np.array([[0, 128, 129, 256, 65535]], dtype=np.uint16)


@pytest.mark.parametrize("data", [
    encoded(GREY_16), encoded(GREY_16, "TIFF"), deep_colour_png(),
    encoded(GREY_16.astype(np.int32), "TIFF"), encoded(GREY_16.astype(np.float32), "TIFF"),
])  # fmt: skip
def test_more_than_eight_bits_is_refused(data):
    with pytest.raises(BadImageError, match="more than 8 bits"):
        decode_image(data)


def test_no_chunk_before_the_header_hides_sixteen_bits():
    with pytest.raises(BadImageError, match="more than 8 bits"):
        decode_image(deep_colour_png(before=header_chunk(8)))  # Pillow takes the second
    with pytest.raises(BadImageError, match="a PNG begins with its IHDR chunk"):
        decode_image(deep_colour_png(before=chunk(b"tEXt", b"a\0" + b"\x08" * 20)))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_rescaled_by_257_when_asked(format):
    decoded = decode_image(encoded(GREY_16, format), bit_depth=BitDepth.rescale)
    assert decoded.pixels[0].tolist() == [[0, 0, 1, 1, 255]]
    assert decoded.kinds == ("grey", "rescaled")


@pytest.mark.parametrize("data, match", [
    (deep_colour_png(), "only 16-bit grey can"),
    (encoded(GREY_16.astype(np.float32), "TIFF"), "only 16-bit grey can"),
    (encoded(np.array([[70000]], dtype=np.int32), "TIFF"), "holds values 70000..70000"),
])  # fmt: skip
def test_what_cannot_be_rescaled_exactly_is_refused_even_then(data, match):
    with pytest.raises(BadImageError, match=match):
        decode_image(data, bit_depth=BitDepth.rescale)


def with_alpha(opacity):
    return np.dstack([COLOUR, np.full(COLOUR.shape[:2], opacity, np.uint8)])


def transparent_palette():
    picture = Image.fromarray(COLOUR).convert("P")
    return encoded(picture, transparency=int(np.asarray(picture)[0, 0]))


@pytest.mark.parametrize("data", [
    encoded(with_alpha(254)), encoded(with_alpha(0), "WEBP", lossless=True),
    encoded(with_alpha(7)[:, :, 2:].copy()), transparent_palette(),
])  # fmt: skip
def test_transparency_is_refused(data):
    with pytest.raises(BadImageError, match=r"transparent .* dataset\.alpha=white"):
        decode_image(data)


def test_fully_opaque_alpha_is_dropped_and_counted():
    decoded = decode_image(encoded(with_alpha(255)))
    assert np.array_equal(decoded.pixels.permute(1, 2, 0).numpy(), COLOUR)
    assert decoded.kinds == ("opaque_alpha",)


@pytest.mark.parametrize("alpha, expected", [(Alpha.white, 205), (Alpha.black, 50)])
def test_transparency_is_laid_over_the_background_that_is_named(alpha, expected):
    pixel = np.array([[[125, 125, 125, 102]]], dtype=np.uint8)  # 102 / 255 = 0.4
    background = {Alpha.white: 0.6 * 255, Alpha.black: 0}[alpha]
    assert 0.4 * 125 + background == pytest.approx(expected, abs=2)
    decoded = decode_image(encoded(pixel), alpha=alpha)
    assert decoded.pixels.flatten().tolist() == [round(0.4 * 125 + background)] * 3
    assert decoded.kinds == ("composited",)


@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP", "TIFF"])
def test_animations_are_refused(format):
    frames = [Image.fromarray(COLOUR), Image.fromarray(255 - COLOUR)]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(BadImageError, match="2 frames"):
        decode_image(data)


def test_a_bomb_is_refused_from_its_header():
    bomb = bytearray(encoded(COLOUR))
    bomb[16:24] = struct.pack(">II", 20_000, 20_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    with pytest.raises(BadImageError, match=r"too many pixels.*limit is 64,000,000"):
        decode_image(bytes(bomb))
    with pytest.raises(BadImageError, match=r"6?5x6.*limit is 29"):
        decode_image(encoded(COLOUR), max_pixels=29)
    assert decode_image(encoded(COLOUR), max_pixels=30).pixels.shape == (3, 6, 5)


def test_a_file_far_larger_than_its_pixels_is_refused():
    check_file_size(1_000_000, max_pixels=30)
    with pytest.raises(BadImageError, match="2,000,000,000 bytes"):
        check_file_size(2_000_000_000)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_counted(format):
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_image(encoded(COLOUR, format, exif=exif))
    assert decoded.kinds == ("exif_orientation",)
    if format != "TIFF":  # Pillow turns those itself
        assert decoded.pixels.shape == (3, 6, 5)
    exif[0x0112] = 1
    assert decode_image(encoded(COLOUR, format, exif=exif)).kinds == ()


@pytest.mark.parametrize("data, match", [
    (b"", "empty file"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git-LFS pointer"),
    (b"\n<!DOCTYPE html><html>404</html>", "HTML page"),
    (b"hello, this is no picture\n", "text file"),
    (b"\x00\x01\x02" * 50, "not a readable image"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n\x00", "not a readable image"),
])  # fmt: skip
def test_what_is_no_image_is_named_for_what_it_is(data, match):
    with pytest.raises(BadImageError, match=match) as caught:
        decode_image(data)
    assert isinstance(caught.value, DatasetError) and caught.value.code == 3


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP"])
def test_truncated_files_are_refused(format):
    noise = RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    data = encoded(noise, format)
    with pytest.raises(BadImageError):
        decode_image(data[: len(data) // 2])


def test_a_damaged_png_byte_is_refused_or_harmless():
    data = encoded(COLOUR)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        try:
            pixels = decode_image(bytes(damaged)).pixels
        except BadImageError:
            continue
        assert np.array_equal(pixels.permute(1, 2, 0).numpy(), COLOUR)


def guided_diffusion_crop(picture, size):
    """The published steps, spelt out on arrays."""
    while min(*picture.size) >= 2 * size:
        picture = picture.resize(tuple(x // 2 for x in picture.size), resample=Image.Resampling.BOX)
    scale = size / min(*picture.size)
    wanted = tuple(round(x * scale) for x in picture.size)
    array = np.array(picture.resize(wanted, resample=Image.Resampling.BICUBIC))
    y, x = (array.shape[0] - size) // 2, (array.shape[1] - size) // 2
    return array[y : y + size, x : x + size]


@pytest.mark.parametrize("height, width", [(70, 101), (33, 16), (9, 9), (64, 64)])
def test_adm_crop_equals_guided_diffusion(height, width):
    image = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = guided_diffusion_crop(Image.fromarray(image), 16)
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    found = prepare(pixels, crop=Crop.adm, resolution=16, filter=None)
    assert np.array_equal(found.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("height, width", [(7, 10), (10, 7), (9, 12), (8, 8)])
def test_center_long_edge_equals_torchvision(height, width):
    from torchvision.transforms.functional import center_crop

    pixels = torch.from_numpy(RNG.integers(0, 256, (3, height, width), dtype=np.uint8))
    found = prepare(pixels, crop=Crop.center_long_edge, resolution=None, filter=None)
    assert torch.equal(found, center_crop(pixels, [min(height, width)] * 2))


@pytest.mark.parametrize("filter", list(Filter))
def test_a_resize_is_pillows_by_the_filter_that_is_named(filter):
    image = RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8)
    kernel = Image.Resampling[filter.name.upper()]
    expected = np.asarray(Image.fromarray(image).resize((8, 8), kernel))
    pixels = torch.from_numpy(image).permute(2, 0, 1)
    found = prepare(pixels, crop=Crop.none, resolution=8, filter=filter)
    assert np.array_equal(found.permute(1, 2, 0).numpy(), expected)


def test_without_crop_and_resolution_the_image_is_untouched():
    pixels = torch.from_numpy(COLOUR).permute(2, 0, 1)
    assert prepare(pixels, crop=Crop.none, resolution=None, filter=None) is pixels


@pytest.mark.parametrize("crop, resolution, filter, match", [
    (Crop.adm, None, None, "dataset.resolution=256"),
    (Crop.none, 8, None, "dataset.filter"),
    (Crop.none, 0, Filter.box, "not a size"),
])  # fmt: skip
def test_a_resize_that_hides_a_choice_is_refused(crop, resolution, filter, match):
    with pytest.raises(ConfigError, match=match):
        check_crop(crop=crop, resolution=resolution, filter=filter)
