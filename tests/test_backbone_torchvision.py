"""ResNet-50, Inception-v3 and VGG-16 of torchvision, from files as torchvision publishes them."""

import numpy as np
import pytest
import torch
from made_weights import made_state, photographs, relative_gap
from PIL import Image
from torchvision.models import inception_v3, resnet50, vgg16
from torchvision.transforms.functional import normalize, pil_to_tensor, to_pil_image

import models.backbones
from models.weights import WeightsError

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
TOLERANCE = 1e-5  # other orders of addition: folded batch normalisation, memory layout


def published_network(name):
    """As torchvision builds it for its own file."""
    if name == "inception_torchvision":
        return inception_v3(weights=None, transform_input=True, init_weights=False)
    return {"resnet50": resnet50, "vgg16": vgg16}[name](weights=None)


LAST = {"resnet50": "fc", "inception_torchvision": "fc", "vgg16": "classifier.6"}
NUMBERS = {"resnet50": 25_557_032, "inception_torchvision": 27_161_264, "vgg16": 138_357_544}
SIZE = {"resnet50": 224, "inception_torchvision": 299, "vgg16": 224}
FILTER = {
    "resnet50": Image.Resampling.BILINEAR,
    "inception_torchvision": Image.Resampling.LANCZOS,
}


@pytest.fixture(scope="module", params=sorted(LAST))
def published(request, tmp_path_factory):
    """Name, file, torchvision's network with the same weights, and ours."""
    network = published_network(request.param)
    state = made_state(network.state_dict())
    network.load_state_dict(state)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    yield request.param, path, network.eval(), models.backbones.load(request.param, weights=path)
    path.unlink()  # half a gigabyte


def test_the_layout_is_the_published_one(published):
    name, _, network, _ = published
    assert sum(parameter.numel() for parameter in network.parameters()) == NUMBERS[name]


def test_features_are_what_the_last_layer_of_torchvisions_network_reads(published):
    name, _, network, extract = published
    images, size = photographs(64), SIZE[name]
    if name in FILTER:
        square = [to_pil_image(x).resize((size, size), FILTER[name]) for x in images]
        batch = torch.stack([pil_to_tensor(one) for one in square])
    else:  # TensorFlow 1's rule has a test of its own against torch-fidelity
        images = batch = photographs(size)
    read = []
    hook = network.get_submodule(LAST[name]).register_forward_pre_hook(
        lambda _, inputs: read.append(inputs[0])
    )
    with torch.no_grad():
        logits = network(normalize(batch / 255, *IMAGENET))
    hook.remove()
    ours = extract(images)
    assert relative_gap(ours.features, read[0]) < TOLERANCE
    assert relative_gap(ours.logits, logits) < TOLERANCE
    assert ours.features.std() > 0.01


@pytest.mark.parametrize("side", [32, 64, 400])
@pytest.mark.parametrize("published", ["vgg16"], indirect=True)
def test_vgg16_is_torch_fidelitys(published, side):
    _, path, _, extract = published
    peer = pytest.importorskip("torch_fidelity.feature_extractor_vgg16")
    layers = ["fc2_relu"]
    extractor = peer.FeatureExtractorVGG16("peer", layers, feature_extractor_weights_path=path)
    images = photographs(side)
    assert relative_gap(extract(images).features, extractor(images)[0]) < TOLERANCE


@pytest.mark.parametrize("published", ["inception_torchvision"], indirect=True)
def test_inception_reads_a_file_without_the_counters_and_refuses_other_extra_tensors(published):
    name, path, _, extract = published
    state = torch.load(path, weights_only=True)
    bare = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    torch.save(bare, path.with_name("bare.pth"))
    load = models.backbones.load
    images = photographs(32, count=1)
    without = load(name, weights=path.with_name("bare.pth"))(images).features
    assert torch.equal(extract(images).features, without)
    torch.save({**state, "AuxLogits.conv2.conv.weight": torch.zeros(1)}, path.with_name("more.pth"))
    with pytest.raises(WeightsError, match=r"1 are unexpected \(body.AuxLogits.conv2.conv.weight"):
        load(name, weights=path.with_name("more.pth"))


@pytest.mark.parametrize("name", sorted(LAST))
def test_absent_published_weights_say_where_to_put_which_file(name):
    file = models.backbones.backbone_class(name).about.file
    for act in ("load", "identity"):
        with pytest.raises(WeightsError) as error:
            getattr(models.backbones.describe(name), act)()
        for words in (file.name, file.url, f"backbone.{name}.weights=random"):
            assert words in str(error.value)


@pytest.mark.parametrize("name", sorted(LAST))
def test_random_weights_under_the_published_name_are_refused(name, tmp_path, monkeypatch):
    file = models.backbones.backbone_class(name).about.file
    (tmp_path / "weights").mkdir()
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "weights" / file.name)
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=f"expected {file.sha256}"):
        models.backbones.load(name)


def test_the_input_transform_of_inception_ends_in_minus_one_to_one(monkeypatch):
    network = models.backbones.describe("inception_torchvision").network()
    seen = []
    network.body.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    levels = torch.from_numpy(np.linspace(0, 255, 75 * 75, dtype=np.float32)).view(1, 1, 75, 75)
    batch = normalize(levels.expand(1, 3, 75, 75) / 255, *IMAGENET)
    with torch.no_grad():
        network.eval()(batch)
    torch.testing.assert_close(seen[0], levels.expand(1, 3, 75, 75) / 127.5 - 1, atol=1e-5, rtol=0)
