"""Names and shapes of CLIP's published files, written out by hand."""

import torch

TOWERS = {  # name: (width, blocks, patch, positions, projected width, width of the text tower)
    "clip_vitb32": (768, 12, 32, 1 + 7**2, 512, 512),
    "clip_vitl14": (1024, 24, 14, 1 + 16**2, 768, 768),
    "clip_vitl14_336": (1024, 24, 14, 1 + 24**2, 768, 768),
}
FILE_BYTES = {  # of the published files, with their headers
    "clip_vitb32": 605_143_284,
    "clip_vitl14": 1_710_517_724,
    "clip_vitl14_336": 1_711_828_444,
}


def openai_layout(name):
    """The image tower under OpenAI's names, as open_clip keeps them."""
    width, depth, patch, positions, projected, _ = TOWERS[name]
    shapes = {
        "visual.conv1.weight": (width, 3, patch, patch),
        "visual.class_embedding": (width,),
        "visual.positional_embedding": (positions, width),
        "visual.proj": (width, projected),
    }
    for norm in ("ln_pre", "ln_post"):
        shapes |= {f"visual.{norm}.weight": (width,), f"visual.{norm}.bias": (width,)}
    return shapes | openai_blocks("visual.transformer.resblocks.", width, depth)


def openai_blocks(prefix, width, depth):
    shapes = {}
    for block in range(depth):
        at = f"{prefix}{block}."
        shapes |= {at + "attn.in_proj_weight": (3 * width, width)}
        shapes |= {at + "attn.in_proj_bias": (3 * width,)}
        linear = {"attn.out_proj": (1, 1), "mlp.c_fc": (4, 1), "mlp.c_proj": (1, 4)}
        for layer, (rows, columns) in linear.items():
            shapes |= {f"{at}{layer}.weight": (rows * width, columns * width)}
            shapes |= {f"{at}{layer}.bias": (rows * width,)}
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{at}{norm}.weight": (width,), f"{at}{norm}.bias": (width,)}
    return shapes


def text_layout(name):
    """The text tower in the same file."""
    *_, projected, width = TOWERS[name]
    shapes = {
        "token_embedding.weight": (49408, width),
        "positional_embedding": (77, width),
        "ln_final.weight": (width,),
        "ln_final.bias": (width,),
        "text_projection": (width, projected),
        "logit_scale": (),
    }
    return shapes | openai_blocks("transformer.resblocks.", width, 12)


def transformers_block(state, theirs, ours, kind):
    """The weights or the biases of one block of either tower."""
    attention = state[f"{theirs}attn.in_proj_{kind}"].chunk(3)
    found = {
        f"{ours}self_attn.{part}_proj.{kind}": tensor
        for part, tensor in zip("qkv", attention, strict=True)
    }
    found[f"{ours}self_attn.out_proj.{kind}"] = state[f"{theirs}attn.out_proj.{kind}"]
    found[f"{ours}layer_norm1.{kind}"] = state[f"{theirs}ln_1.{kind}"]
    found[f"{ours}layer_norm2.{kind}"] = state[f"{theirs}ln_2.{kind}"]
    found[f"{ours}mlp.fc1.{kind}"] = state[f"{theirs}mlp.c_fc.{kind}"]
    found[f"{ours}mlp.fc2.{kind}"] = state[f"{theirs}mlp.c_proj.{kind}"]
    return found


def transformers_state(state):
    """OpenAI's image tower as the transformers library keeps it, by hand."""
    at = "vision_model.embeddings."
    found = {
        at + "class_embedding": state["visual.class_embedding"],
        at + "patch_embedding.weight": state["visual.conv1.weight"],
        at + "position_embedding.weight": state["visual.positional_embedding"],
        at + "position_ids": torch.arange(len(state["visual.positional_embedding"]))[None],
        "visual_projection.weight": state["visual.proj"].T,
        "logit_scale": torch.tensor(4.6),
        "text_projection.weight": torch.zeros(512, 512),
        "text_model.final_layer_norm.weight": torch.ones(512),
    }
    for kind in ("weight", "bias"):
        found[f"vision_model.pre_layrnorm.{kind}"] = state[f"visual.ln_pre.{kind}"]
        found[f"vision_model.post_layernorm.{kind}"] = state[f"visual.ln_post.{kind}"]
        for block in range(sum(name.endswith("ln_1.weight") for name in state)):
            theirs = f"visual.transformer.resblocks.{block}."
            ours = f"vision_model.encoder.layers.{block}."
            found |= transformers_block(state, theirs, ours, kind)
    return found


def transformers_text_state(state):
    """OpenAI's text tower as the transformers library keeps it, by hand."""
    at = "text_model.embeddings."
    found = {
        at + "token_embedding.weight": state["token_embedding.weight"],
        at + "position_embedding.weight": state["positional_embedding"],
        at + "position_ids": torch.arange(77)[None],
        "text_projection.weight": state["text_projection"].T,
        "visual_projection.weight": torch.zeros(512, 768),
        "vision_model.post_layernorm.bias": torch.zeros(768),
        "logit_scale": torch.tensor(4.6),
    }
    for kind in ("weight", "bias"):
        found[f"text_model.final_layer_norm.{kind}"] = state[f"ln_final.{kind}"]
        for block in range(12):
            theirs = f"transformer.resblocks.{block}."
            ours = f"text_model.encoder.layers.{block}."
            found |= transformers_block(state, theirs, ours, kind)
    return found
