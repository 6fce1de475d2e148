"""Names of CLIP's towers: from the layouts of published files to those of timm and of open_clip."""

import re
from collections.abc import Iterable

import torch

from models.weights import State

PROJECTION = "projection.weight"

_Rule = tuple[str, str]  # a pattern and what stands for it
_TEXT = (
    "transformer.",
    "token_embedding.",
    "positional_embedding",
    "ln_final.",
    "text_projection",
    "text_model.",
)
_IMAGE = ("visual.", "vision_model.", "visual_projection.")
_NEITHER = (  # of the training, and 0, 1, 2, ...
    "logit_scale",
    "input_resolution",
    "context_length",
    "vocab_size",
    "vision_model.embeddings.position_ids",
    "text_model.embeddings.position_ids",
)
_OPENAI: tuple[_Rule, ...] = (
    (r"^visual\.conv1\.", "patch_embed.proj."),
    (r"^visual\.class_embedding$", "cls_token"),
    (r"^visual\.positional_embedding$", "pos_embed"),
    (r"^visual\.ln_pre\.", "norm_pre."),
    (r"^visual\.ln_post\.", "norm."),
    (r"^visual\.transformer\.resblocks\.", "blocks."),
    (r"^(blocks\.\d+\.)ln_([12])\.", r"\1norm\2."),
    (r"^(blocks\.\d+\.attn\.)in_proj_", r"\1qkv."),
    (r"^(blocks\.\d+\.attn\.)out_proj\.", r"\1proj."),
    (r"^(blocks\.\d+\.mlp\.)c_fc\.", r"\1fc1."),
    (r"^(blocks\.\d+\.mlp\.)c_proj\.", r"\1fc2."),
)
_TRANSFORMERS: tuple[_Rule, ...] = (
    (r"^vision_model\.embeddings\.patch_embedding\.", "patch_embed.proj."),
    (r"^vision_model\.embeddings\.class_embedding$", "cls_token"),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "pos_embed"),
    (r"^vision_model\.pre_layrnorm\.", "norm_pre."),  # the file's own spelling
    (r"^vision_model\.post_layernorm\.", "norm."),
    (r"^vision_model\.encoder\.layers\.", "blocks."),
    (r"^(blocks\.\d+\.)layer_norm([12])\.", r"\1norm\2."),
    (r"^(blocks\.\d+\.)self_attn\.out_proj\.", r"\1attn.proj."),
    (r"^visual_projection\.weight$", PROJECTION),
)
_TRANSFORMERS_TEXT: tuple[_Rule, ...] = (
    (r"^text_model\.embeddings\.token_embedding\.", "token_embedding."),
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.final_layer_norm\.", "ln_final."),
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"^(transformer\.resblocks\.\d+\.)layer_norm([12])\.", r"\1ln_\2."),
    (r"^(transformer\.resblocks\.\d+\.)self_attn\.out_proj\.", r"\1attn.out_proj."),
    (r"^(transformer\.resblocks\.\d+\.mlp\.)fc1\.", r"\1c_fc."),
    (r"^(transformer\.resblocks\.\d+\.mlp\.)fc2\.", r"\1c_proj."),
)
_PART = re.compile(r"^(.+\.)self_attn\.q_proj\.(weight|bias)$")


def image_tower(state: State) -> State:
    """The image tower under timm's names, and the projection as `projection.weight` (P, D).

    Args:
        state: OpenAI's own names (`visual.conv1.weight`, as open_clip keeps them) or those of the
            transformers library (`vision_model.embeddings...`); text towers are left out.
    """
    read = _without(state, _TEXT)
    if any(name.startswith("vision_model.") for name in read):
        return _with_axes(_joined(_renamed(read, _TRANSFORMERS), "attn.qkv."))
    renamed = _renamed(read, _OPENAI)
    if "visual.proj" in renamed:
        renamed[PROJECTION] = renamed.pop("visual.proj").T
    return _with_axes(renamed)


def text_tower(state: State) -> State:
    """The text tower under open_clip's names, which are OpenAI's own.

    Args:
        state: as for `image_tower`; image towers are left out.
    """
    read = _without(state, _IMAGE)
    if not any(name.startswith("text_model.") for name in read):
        return read
    joined = _joined(_renamed(read, _TRANSFORMERS_TEXT), "attn.in_proj_")
    if "text_projection.weight" in joined:
        joined["text_projection"] = joined.pop("text_projection.weight").T
    return joined


def _without(state: State, tower: tuple[str, ...]) -> State:
    left_out = (*tower, *_NEITHER)
    return {name: state[name] for name in state if not name.startswith(left_out)}


def _renamed(state: State, rules: Iterable[_Rule]) -> State:
    """Every name after every rule, in order; what no rule knows keeps its name."""
    renamed = {}
    for name, tensor in state.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def _joined(state: State, whole: str) -> State:
    """Queries, keys and values in one tensor; incomplete ones stay, and do not fit."""
    joined = dict(state)
    for found in filter(None, map(_PART.match, state)):
        block, kind = found.groups()
        parts = [f"{block}self_attn.{part}_proj.{kind}" for part in "qkv"]
        if all(part in state for part in parts):
            joined[f"{block}{whole}{kind}"] = torch.cat([joined.pop(part) for part in parts])
    return joined


def _with_axes(state: State) -> State:
    """An axis for the batch in front of the class token and the positions."""
    axes = {"cls_token": (None, None), "pos_embed": (None,)}
    return {name: tensor[axes[name]] if name in axes else tensor for name, tensor in state.items()}
