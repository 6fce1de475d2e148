"""What the jobs of one plan have in common, made once: opened datasets, identities, yardsticks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.build import build
from bench.place import Place

Made = TypeVar("Made")


class Shared:
    """What several jobs of one process have in common, made once; one for each plan.

    Args:
        place: where the jobs run.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.place = place or Place()
        self._made: dict[str, Any] = {}
        self._last: tuple[DictConfig, dict[str, Any]] | None = None

    def plain(self, config: DictConfig) -> dict[str, Any]:
        """A job's config as nested dicts, interpolations as they are; not to be changed.

        The last one is kept: a plan asks several questions of each job's.
        """
        if self._last is None or self._last[0] is not config:
            self._last = config, cast(dict[str, Any], OmegaConf.to_container(config))
        return self._last[1]

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What `make` gave for this key; an exception is not kept."""
        text = repr(key)
        if text not in self._made:
            self._made[text] = make()
        return self._made[text]

    def built(self, node: DictConfig, where: str) -> Any:
        """What `build` makes of a node; the same object for nodes of the same resolved values.

        Raises:
            ConfigError: as `build`.
        """
        try:
            values = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
        except OmegaConfBaseException:  # told by `build`, in the user's words
            return build(node, where)
        return self.once(("built", where, values), lambda: build(node, where))


class OpenedOnce:
    """A dataset whose splits are opened and fingerprinted once for all jobs of a plan."""

    def __init__(self, dataset: Any, shared: Shared) -> None:
        self._dataset, self._shared = dataset, shared

    def __getattr__(self, name: str) -> Any:
        """Its fields, as they are."""
        return getattr(self._dataset, name)

    def open(self, split: str, *, manifests: Path, progress: Any = None) -> Any:
        """As the dataset's own."""

        def fresh() -> Any:
            return self._dataset.open(split, manifests=manifests, progress=progress)

        key = (type(self._dataset).__module__, self._dataset, split, str(manifests))
        return self._shared.once(key, fresh)
