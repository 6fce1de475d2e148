"""What a metric fitted to the real side, kept so that every generator meets the same fit."""

from collections.abc import Callable, Mapping

from torch import Tensor

from bench.cache import FeatureCache
from bench.errors import StoreError

ONE = range(1)  # the cache counts rows; a fit is one thing


class Fitted:
    """Tensors by the real side and the settings of a fit.

    Args:
        cache: where fits lie.
        fitted_on: identity of the real side in its feature space.
    """

    def __init__(self, cache: FeatureCache, fitted_on: Mapping[str, object]) -> None:
        self.cache, self.fitted_on = cache, dict(fitted_on)

    def __call__(
        self, settings: Mapping[str, object], fit: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """The tensors of this fit, from the cache or made now.

        Args:
            settings: everything that decides the fit, beside the real side.
            fit: makes it.
        """
        identity = {"fitted_on": self.fitted_on, "settings": dict(settings)}
        found = self.cache.read(identity, ONE)
        if found is None:
            found = self._write(identity, {name: t[None].cpu() for name, t in fit().items()})
        return {name: tensor[0] for name, tensor in found.items()}

    def _write(
        self, identity: Mapping[str, object], tensors: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """The first whole fit counts: training need not repeat to the bit on another machine."""
        try:
            return self.cache.write(identity, ONE, tensors)
        except StoreError:
            return self.cache.read(identity, ONE) or tensors
