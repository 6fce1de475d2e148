"""Deviations from a protocol: named in the record that they are of, and in no other."""

from pathlib import Path

import pytest

from bench.concerning import concerning
from bench.errors import ConfigError
from bench.records import read_record, record_paths


def test_another_parameter_is_a_deviation_and_another_comparison_key(measure, small, tmp_path):
    measure(*small, "metrics=[prdc]")
    measure(*small, "metrics=[prdc]", "metrics.prdc.k=3")
    found = [read_record(path) for path in record_paths(tmp_path / "results")]
    assert found[0].comparison_key != found[1].comparison_key
    deviating = next(r for r in found if r.metric["config"]["k"] == 3)
    assert "metrics.prdc.k: 3 (salon: 5)" in deviating.deviations


def test_a_record_names_no_deviation_of_another_backbone_or_metric(measure, tmp_path):
    words = ["backbone=[resnet18_random,efficientnet_lite0]", "metrics=[fid,prdc]"]
    moved = [
        *("metrics.prdc.k=3", "+protocol.fid.ddof=0", "backbone.resnet18_random.resolution=32"),
        *(
            "backbone.efficientnet_lite0.resolution=64",
            "protocol.num_fake=50",
            "protocol.num_real=60",
        ),
        "+protocol.scaling.efficientnet_lite0=imagenet",
    ]
    measure(*words, *moved)
    of = {"resnet18_random": {"backbone.resnet18_random.resolution"}, "prdc": {"metrics.prdc.k"}}
    lite = {"resolution", "scaling"}
    of["efficientnet_lite0"] = {f"backbone.efficientnet_lite0.{name}" for name in lite}
    of["efficientnet_lite0"] |= {"protocol.scaling.efficientnet_lite0"}
    of["fid"] = {"metrics.fid.ddof", "protocol.fid.ddof"}
    records = [read_record(path) for path in record_paths(tmp_path / "results")]
    assert len(records) == 4
    for record in records:
        keys = {line.partition(":")[0] for line in record.deviations}
        own = of[record.backbone["name"]] | of[record.metric["name"]]
        assert keys == own | {"protocol.num_fake", "protocol.num_real"}


def test_a_preset_of_its_own_counts_is_no_deviation(measure, tmp_path):
    words = ["backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"]
    _, report = measure("protocol=demo", "metrics=[fid]", *words)
    record = read_record(Path(report.lines[0].record))
    assert record.num_fake == 600
    assert record.deviations == ["backbone.resnet18_random.resolution: 32 (demo: 64)"]


def test_a_protocols_name_cannot_be_borrowed(measure, small):
    with pytest.raises(ConfigError, match="a yaml of its own"):
        measure(*small, "metrics=[fid]", "protocol.name=stylegan3")


@pytest.mark.parametrize("line", ["k: 3 (preset: 5)", "", "other.thing: 1", "protocol", "backbone"])
def test_a_line_of_another_form_is_kept(line):
    """Of a record of somebody else: what is not understood may move the number."""
    assert concerning([line], "net", "fid") == [line]
