"""The features and the logits of a torchvision classifier: what its last linear layer reads."""

from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import head_in_float32, pool_in_float32
from models.weights import State


class ClassifierTrunk(nn.Module):
    """Scaled images (n, 3, S, S) -> the last layer's input (n, D) and its output (n, C).

    Args:
        network: a classifier; its last layer is taken out of it.
        last: the last layer's name, such as "fc".
        has_head: whether the last layer is kept, for the logits.
    """

    def __init__(self, network: nn.Module, last: str, has_head: bool = True) -> None:
        super().__init__()
        self.head = network.get_submodule(last) if has_head else None
        network.set_submodule(last, nn.Identity())
        self.body = pool_in_float32(network)

    def forward(self, x: Tensor) -> Embedding:
        """Features, and logits if there is a head."""
        features = self.body(x)
        with head_in_float32(x.device):
            return Embedding(features, None if self.head is None else self.head(features.float()))


def trunk_names(state: State, last: str) -> State:
    """From the classifier's names to those of its trunk."""
    return {_trunk_name(name, last): tensor for name, tensor in state.items()}


def _trunk_name(name: str, last: str) -> str:
    prefix, _, tensor = name.rpartition(".")
    return f"head.{tensor}" if prefix == last else f"body.{name}"
