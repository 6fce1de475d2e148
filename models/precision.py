"""In which arithmetic a network runs; anything but float32 gives other features and scores."""

from enum import Enum


class Precision(Enum):
    """Of the network's products; its input, its features and every score stay float32 or better."""

    fp32 = "fp32"  # full float32, also on GPUs that would round products to TF32 unasked
    tf32 = "tf32"  # float32 with products of 10-bit mantissas, CUDA only
    bf16 = "bf16"  # bfloat16 autocast
    fp16 = "fp16"  # float16 autocast; values above 65,504 overflow
