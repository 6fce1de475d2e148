"""The weight file of a timm model on the Hugging Face hub, in bounded time when there is no way."""

from pathlib import Path

import huggingface_hub
import huggingface_hub.constants

from models.weights import WeightsError

_PATIENCE = 10  # seconds that one question to the hub may take; its downloader tries for a minute
_DEFAULT_FILE = "model.safetensors"


def hub_file(model: str, *, option: str) -> Path:
    """The file in the hub's local cache, downloaded if need be; timm's own uses the same cache.

    Args:
        model: timm's name with its tag, such as "resnet18.a1_in1k".
        option: the config key that takes a file instead, for messages.

    Raises:
        WeightsError: if the model has no file on the hub, or the hub cannot be reached.
    """
    place = _place(model)
    if place is None:
        raise WeightsError(f"timm has no hub file for {model}; type {option}=FILE")
    repository, file, revision = place
    try:
        return _fetch(repository, file, revision)
    except Exception as error:  # HTTP, DNS, offline switch, absent file: a dozen classes
        url = huggingface_hub.hf_hub_url(repository, file, revision=revision)
        raise WeightsError(
            f"{file} of {repository} is not in the hub's cache "
            f"{huggingface_hub.constants.HF_HUB_CACHE} and cannot be downloaded from {url} "
            f"({type(error).__name__}); where there is a network, type "
            f"`salon fetch backbone=timm backbone.timm.model={model}`, or {option}=FILE"
        ) from error


def cached_hub_file(model: str) -> Path | None:
    """The file where it is in the hub's local cache already; asks nobody."""
    place = _place(model)
    return None if place is None else _cached(*place)


def _place(model: str) -> tuple[str, str, str | None] | None:
    """Repository, file and revision; None where timm knows none."""
    import timm  # seconds, which a reused cell does not need

    settings = timm.get_pretrained_cfg(model)
    if not settings or not settings.hf_hub_id:
        return None
    repository, _, revision = settings.hf_hub_id.partition("@")
    return repository, settings.hf_hub_filename or _DEFAULT_FILE, revision or None


def _cached(repository: str, file: str, revision: str | None) -> Path | None:
    cached = huggingface_hub.try_to_load_from_cache(repository, file, revision=revision)
    return Path(cached) if isinstance(cached, str) else None


def _fetch(repository: str, file: str, revision: str | None) -> Path:
    """Cache first, then one bounded question, then the download."""
    cached = _cached(repository, file, revision)
    if cached is not None:
        return cached
    huggingface_hub.HfApi().model_info(repository, revision=revision, timeout=_PATIENCE)
    return Path(huggingface_hub.hf_hub_download(repository, file, revision=revision))
