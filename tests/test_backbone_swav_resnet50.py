import pytest
import torch
from made_weights import made_state, photographs, relative_gap
from torch import nn
from torchvision.models import resnet50
from torchvision.transforms.functional import normalize

from models.backbones.swav_resnet50 import FILE, HEAD, SwavResnet50
from models.weights import WeightsError, file_sha256

NORM = {part: (2048,) for part in ("weight", "bias", "running_mean", "running_var")}
PRETEXT = {  # facebookresearch/swav: hidden_mlp 2048, feat_dim 128, nmb_prototypes 3000
    "projection_head.0.weight": (2048, 2048),
    "projection_head.0.bias": (2048,),
    **{f"projection_head.1.{part}": shape for part, shape in NORM.items()},
    "projection_head.1.num_batches_tracked": (),
    "projection_head.3.weight": (128, 2048),
    "projection_head.3.bias": (128,),
    "prototypes.weight": (3000, 128),
}


@pytest.fixture(scope="module")
def trunk_file(tmp_path_factory):
    """The pretraining's file: a flat dict of a network wrapped for several GPUs, without fc."""
    trunk = {k: v for k, v in resnet50(weights=None).state_dict().items() if k[:3] != "fc."}
    state = made_state({**trunk, **PRETEXT})
    path = tmp_path_factory.mktemp("weights") / "trunk.pth.tar"
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, path)
    yield path
    path.unlink()  # hundreds of megabytes


@pytest.fixture(scope="module")
def head_file(tmp_path_factory):
    """The linear evaluation's checkpoint, with its optimiser and schedule."""
    linear = nn.Linear(2048, 1000)
    optimiser = torch.optim.SGD(linear.parameters(), lr=0.3, momentum=0.9, weight_decay=1e-6)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 100, eta_min=0)
    linear(torch.ones(1, 2048)).sum().backward()
    optimiser.step()
    schedule.step()
    wrapped = nn.ModuleDict({"module": nn.ModuleDict({"linear": linear})})
    content = {
        "epoch": 100,
        "state_dict": wrapped.state_dict(),
        "optimizer": optimiser.state_dict(),
        "scheduler": schedule.state_dict(),
        "best_acc": 75.3,
    }
    path = tmp_path_factory.mktemp("weights") / "head.pth.tar"
    torch.save(content, path)
    return path


def test_features_and_logits_are_those_of_torchvisions_network_with_both_files(
    trunk_file, head_file
):
    network = resnet50(weights=None)
    trunk = torch.load(trunk_file, weights_only=True)
    network.load_state_dict({k.replace("module.", ""): v for k, v in trunk.items()}, strict=False)
    head = torch.load(head_file, weights_only=True)["state_dict"]
    network.fc.load_state_dict({k.replace("module.linear.", ""): v for k, v in head.items()})
    read = []
    network.fc.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    images = photographs(224)
    with torch.no_grad():
        logits = network.eval()(
            normalize(images / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        )
    ours = SwavResnet50(weights=str(trunk_file), head=str(head_file)).load()(images)
    assert relative_gap(ours.features, read[0]) < 1e-5  # folded batch normalisation
    assert relative_gap(ours.logits, logits) < 1e-5
    assert ours.features.std() > 0.01


def test_the_identity_has_both_files(trunk_file, head_file):
    identity = SwavResnet50(weights=str(trunk_file), head=str(head_file)).identity()
    assert identity["weights_sha256"] == file_sha256(trunk_file)
    assert identity["head_sha256"] == file_sha256(head_file)


def test_without_a_head_there_are_features_and_no_logits(trunk_file):
    headless = SwavResnet50(weights=str(trunk_file), head="none")
    found = headless.load()(photographs(32, count=1))
    assert found.features.shape == (1, 2048) and found.logits is None
    assert "head_sha256" not in headless.identity()


def test_absent_files_say_what_to_type_for_each(trunk_file):
    with pytest.raises(WeightsError) as error:
        SwavResnet50().load()
    for words in (FILE.name, FILE.url, "backbone.swav_resnet50.weights=random"):
        assert words in str(error.value)
    with pytest.raises(WeightsError) as error:
        SwavResnet50(weights=str(trunk_file)).load()
    for words in (HEAD.name, HEAD.url, "backbone.swav_resnet50.head=none"):
        assert words in str(error.value)
    assert "head=random" not in str(error.value)


def test_other_extra_tensors_are_refused(trunk_file, tmp_path):
    state = torch.load(trunk_file, weights_only=True)
    path = tmp_path / "more.pth.tar"
    torch.save({**state, "module.prototypes0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"1 are unexpected \(body.prototypes0.weight\)"):
        SwavResnet50(weights=str(path), head="none").load()


def test_random_weights_have_a_random_head_or_none():
    images = photographs(32, count=1)
    with_head, without = (
        SwavResnet50(weights="random", head=head).load()(images) for head in ("published", "none")
    )
    assert with_head.logits.std() > 0 and without.logits is None
    assert torch.equal(with_head.features, without.features)


def test_a_head_that_would_not_be_read_is_refused():
    with pytest.raises(ValueError, match="makes the head random too"):
        SwavResnet50(weights="random", head="head.pth.tar")
