"""What peers that are not installed compute, in numpy and Pillow; nothing of ours is called."""

import numpy as np
from PIL import Image

BILINEAR, BICUBIC = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
LANCZOS, BOX = Image.Resampling.LANCZOS, Image.Resampling.BOX
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


def two_taps(length, size, offset):
    """(size, length) weights of linear interpolation at (i + offset) length / size - offset."""
    centres = (np.arange(size) + offset) * length / size - offset
    low = np.floor(centres).astype(int)
    weights = np.zeros((size, length))
    for shift, weight in ((0, 1 - (centres - low)), (1, centres - low)):
        np.add.at(weights, (np.arange(size), np.clip(low + shift, 0, length - 1)), weight)
    return weights


def wide_triangle(length, size):
    """(size, length) weights of a triangle as wide as an output pixel, where images shrink."""
    scale = length / size
    centres = (np.arange(size) + 0.5) * scale - 0.5
    distance = np.abs(centres[:, None] - np.arange(length)) / max(scale, 1)
    weights = np.maximum(0, 1 - distance)
    return weights / weights.sum(1, keepdims=True)


def separable(weights):
    def form(image, size):
        rows, columns = (weights(length, size) for length in image.shape[1:])
        return rows @ image.astype(np.float64) @ columns.T

    return form


def pil_levels(filter_):
    def form(image, size):
        picture = Image.fromarray(image.transpose(1, 2, 0))
        return np.asarray(picture.resize((size, size), filter_)).transpose(2, 0, 1)

    return form


def pil_crop(numerator, denominator):
    """Of square images: the side becomes size * numerator // denominator before the crop."""

    def form(image, size):
        side = size * numerator // denominator
        picture = Image.fromarray(image.transpose(1, 2, 0)).resize((side, side), BICUBIC)
        edge = round((side - size) / 2)
        return np.asarray(picture).transpose(2, 0, 1)[:, edge : edge + size, edge : edge + size]

    return form


def pil_floats(filter_, low=-np.inf, high=np.inf):
    def form(image, size):
        planes = [Image.fromarray(plane.astype(np.float32)) for plane in image]
        return np.stack([p.resize((size, size), filter_) for p in planes]).clip(low, high)

    return form


RESIZE = {
    "tf1_bilinear": separable(lambda length, size: two_taps(length, size, 0.0)),
    "torch_bilinear": separable(lambda length, size: two_taps(length, size, 0.5)),
    "torch_antialias": separable(wide_triangle),
    "torch_bicubic_antialias": pil_floats(BICUBIC),
    "pil_bilinear": pil_levels(BILINEAR),
    "pil_bicubic": pil_levels(BICUBIC),
    "pil_lanczos": pil_levels(LANCZOS),
    "pil_box": pil_levels(BOX),
    "pil_bicubic_crop": pil_crop(1, 1),
    "pil_bicubic_crop_8_7": pil_crop(8, 7),
    "pil_bicubic_float": pil_floats(BICUBIC, 0, 255),
    "pil_bilinear_float": pil_floats(BILINEAR),
    "pil_bicubic_unclipped": pil_floats(BICUBIC),
    "pil_lanczos_unclipped": pil_floats(LANCZOS),
}


def standardised(mean, std):
    mean, std = (np.array(values)[:, None, None] for values in (mean, std))
    return lambda pixels: (pixels / 255 - mean) / std


SCALING = {
    "tf": lambda pixels: (pixels - 128.0) / 128,
    "tf_lite": lambda pixels: (pixels - 127.0) / 128,
    "unit_symmetric": lambda pixels: pixels / 127.5 - 1,
    "imagenet": standardised(*IMAGENET),
    "clip": standardised(*CLIP),
}


def prepared(images, size, resize, scaling):
    """uint8 (n, 3, H, W) -> (n, 3, size, size), by a name of each table."""
    return np.stack([SCALING[scaling](RESIZE[resize](image, size)) for image in images])


def _dgm_stretch(image):
    """dinov2.py without an option: Resize((224, 224), BICUBIC), ToTensor, Normalize."""
    return _dgm_normalised(pil_levels(BICUBIC)(image, 224))


def _dgm_pil_resize(image):
    """mae.py with --clean_resize: resizer.pil_resize to (224, 224), Normalize."""
    picture = Image.fromarray(image.transpose(1, 2, 0))
    planes = [np.float32(plane) for plane in np.array(picture).transpose(2, 0, 1)]
    made = [np.asarray(Image.fromarray(p).resize((224, 224), BICUBIC)) for p in planes]
    return _dgm_normalised(np.stack(made).clip(0, 255))


def _dgm_crop(image):
    """convnext.py: Resize(256, BICUBIC) of the shorter side, CenterCrop(224)."""
    picture = Image.fromarray(image.transpose(1, 2, 0)).resize((256, 256), BICUBIC)
    return _dgm_normalised(np.asarray(picture.crop((16, 16, 240, 240))).transpose(2, 0, 1))


def _dgm_shorter_side(image):
    """swav.py: Resize(224), bilinear, of the shorter side; square images become the square."""
    return _dgm_normalised(pil_levels(BILINEAR)(image, 224))


def _dgm_inception(image):
    """inception.py: F.interpolate of ToTensor to 299; its network takes 2 x - 1 of that."""
    weights = two_taps(image.shape[-1], 299, 0.5)
    return 2 * (weights @ (image / 255) @ weights.T) - 1


def _dgm_normalised(pixels):
    mean, deviation = (np.array(values)[:, None, None] for values in IMAGENET)
    return (pixels / 255 - mean) / deviation


DGM_EVAL = {  # backbone -> `transform` of dgm-eval's encoder: one uint8 (3, H, H) image to pixels
    "inception": _dgm_inception,
    "dinov2_vits14": _dgm_stretch,
    "dinov2_vitb14": _dgm_stretch,
    "dinov2_vitl14": _dgm_stretch,
    "convnext_l": _dgm_crop,
    "mae_vitl16": _dgm_pil_resize,
    "swav_resnet50": _dgm_shorter_side,
}


def frechet(real, fake, ddof):
    """Exact for few rows: the trace of the root is a nuclear norm."""
    rows = [(x - x.mean(0)) / (len(x) - ddof) ** 0.5 for x in (real, fake)]
    overlap = np.linalg.norm(rows[0] @ rows[1].T, "nuc")
    gap = real.mean(0) - fake.mean(0)
    return gap @ gap + sum((x**2).sum() for x in rows) - 2 * overlap


def kernel_distance(real, fake):
    """Unbiased, over all rows, kernel (x y / d + 1)^3."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def own(x):
        return (kernel(x, x).sum() - np.trace(kernel(x, x))) / (len(x) * (len(x) - 1))

    return own(real) + own(fake) - 2 * kernel(real, fake).mean()


def inception_score(logits, parts):
    """Score of each part of the rows."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    p = shifted / shifted.sum(1, keepdims=True)
    scores = []
    for part in parts:
        mean = p[part].mean(0)
        scores.append(np.exp((p[part] * (np.log(p[part]) - np.log(mean))).sum(1).mean()))
    return np.array(scores)


def distances(x, y):
    return np.sqrt(((x[:, None] - y[None]) ** 2).sum(2))


def radii(x, k):
    return np.sort(distances(x, x), axis=1)[:, k]  # column 0 is the row itself


def precision_recall(real, fake, k):
    """Balls that hold their surface."""
    d, real_balls, fake_balls = distances(fake, real), radii(real, k), radii(fake, k)
    held, found = d <= real_balls, d <= fake_balls[:, None]
    return {"precision": held.any(1).mean(), "recall": found.any(0).mean()}


def prdc(real, fake, k):
    """Balls that do not hold their surface."""
    d, balls, fake_balls = distances(fake, real), radii(real, k), radii(fake, k)
    return {
        "precision": (d < balls).any(1).mean(),
        "recall": (d < fake_balls[:, None]).any(0).mean(),
        "density": (d < balls).sum(1).mean() / k,
        "coverage": (d.min(0) < balls).mean(),
    }
