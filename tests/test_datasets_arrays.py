import numpy as np
import pytest

from bench.datasets.arrays import ImageArray
from bench.datasets.preparation import RowRule
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import fingerprint

RNG = np.random.default_rng(0)
LAST = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)  # (N, H, W, 3)
FIRST = LAST.transpose(0, 3, 1, 2)


def opened(path, split="all", **fields):
    return ImageArray(path=str(path), **fields).open(split, manifests=path.parent / "manifests")


def saved(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    return tmp_path / "a.npy"


def savez(tmp_path, *arrays, compressed=False, **named):
    save = np.savez_compressed if compressed else np.savez
    save(tmp_path / "a.npz", *arrays, **named)
    return tmp_path / "a.npz"


@pytest.mark.parametrize("array", [LAST, FIRST, np.asfortranarray(LAST)])
def test_channels_may_be_first_or_last(tmp_path, array):
    source = opened(saved(tmp_path, array))
    assert np.array_equal(source.read(range(6)).numpy(), FIRST)
    assert source.content() == {"fingerprint": fingerprint(source)}
    assert source.labels is None and source.counts == {}


def test_grey_becomes_three_equal_channels_and_is_counted(tmp_path):
    grey = RNG.integers(0, 256, (6, 5, 7), dtype=np.uint8)
    source = opened(saved(tmp_path, grey))
    assert np.array_equal(source.read([2])[0].numpy(), np.stack([grey[2]] * 3))
    assert source.counts == {"grey": 6}


def test_an_npy_is_read_in_parts(tmp_path):
    assert isinstance(opened(saved(tmp_path, LAST)).items.images.base, np.memmap)


@pytest.mark.parametrize("compressed", [False, True])
def test_adms_npz_gives_images_and_labels(tmp_path, compressed):
    path = savez(tmp_path, LAST, np.array([1, 0, 4, 1, 2, 3]), compressed=compressed)
    source = opened(path)
    assert np.array_equal(source.read(range(6)).numpy(), FIRST)
    assert source.labels.tolist() == [1, 0, 4, 1, 2, 3] and source.num_classes == 5
    assert opened(path, num_classes=10).num_classes == 10
    assert isinstance(source.items.images.base, np.memmap) != compressed


def test_adms_reference_batch_is_told_from_its_statistics(tmp_path):
    source = opened(savez(tmp_path, arr_0=LAST, mu=np.zeros(4), sigma=np.eye(4)))
    assert len(source) == 6 and source.labels is None


def test_a_single_array_may_have_any_name(tmp_path):
    path = savez(tmp_path, samples=LAST, labels=np.zeros(6, np.int64))
    assert opened(path).labels.tolist() == [0] * 6


def test_of_several_arrays_one_must_be_named(tmp_path):
    path = savez(tmp_path, x=LAST, y=LAST)
    with pytest.raises(DatasetError, match=r"holds the arrays x, y; name.*dataset\.key"):
        opened(path)
    assert len(opened(path, key="y")) == 6
    with pytest.raises(DatasetError, match=r"holds the arrays x, y"):
        opened(path, key="z")


def test_a_second_file_is_the_holdout(tmp_path):
    path = saved(tmp_path, LAST)
    np.save(tmp_path / "b.npy", LAST[:2])
    dataset = ImageArray(path=str(path), holdout=str(tmp_path / "b.npy"))
    assert dataset.holdout_split == "holdout"
    assert len(dataset.open("holdout", manifests=tmp_path)) == 2
    assert ImageArray(path=str(path)).holdout_split is None
    with pytest.raises(ConfigError, match=r"no split 'holdout'.*dataset.holdout=FILE"):
        opened(path, "holdout")


@pytest.mark.parametrize("array, match", [
    (LAST / np.float32(255), r"holds float32.*expected uint8.*\(x \* 255\)\.round"),
    (LAST.astype(np.int64), "holds int64.*expected uint8"),
    (LAST[:, :3, :, :], r"shape \(6, 3, 4, 3\): channels may be first or last"),
    (LAST[:, :, :, :2], r"expected \(N, H, W, 3\)"),
    (LAST[0], r"shape \(5, 4, 3\); expected"),
    (LAST[0, 0], "expected"), (LAST[:0], "holds no images"),
])  # fmt: skip
def test_arrays_that_are_no_images_are_refused(tmp_path, array, match):
    with pytest.raises(DatasetError, match=match) as caught:
        opened(saved(tmp_path, array))
    assert "a.npy" in str(caught.value) and caught.value.code == 3


@pytest.mark.parametrize("labels, match", [
    (np.zeros(5, np.int64), r"labels are int64 \(5,\); expected whole numbers \(6,\)"),
    (np.zeros(6), "labels are float64"), (np.array([0, 1, 2, 3, 4, -1]), "from -1 to 4"),
])  # fmt: skip
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, match):
    with pytest.raises(DatasetError, match=match):
        opened(savez(tmp_path, LAST, labels=labels))


def test_labels_beyond_the_declared_classes_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="from 0 to 5; expected 0 to 4 - 1"):
        opened(savez(tmp_path, LAST, labels=np.arange(6)), num_classes=4)


class Payload:
    def __reduce__(self):
        return (open, ("canary", "w"))


@pytest.mark.parametrize("save", [saved, savez])
def test_pickled_objects_are_never_loaded(tmp_path, monkeypatch, save):
    monkeypatch.chdir(tmp_path)
    array = np.empty(1, object)
    array[0] = Payload()
    path = save(tmp_path, array)
    (tmp_path / "canary").unlink(missing_ok=True)
    with pytest.raises(DatasetError, match="Python objects"):
        opened(path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("cut", [3, 90, 300])
def test_truncated_files_are_named(tmp_path, cut):
    for path in [saved(tmp_path, LAST), savez(tmp_path, LAST)]:
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(DatasetError, match=path.name):
            opened(path)


def test_bytes_behind_the_array_are_refused(tmp_path):
    path = saved(tmp_path, LAST)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DatasetError, match=r"truncated or damaged.*takes 360 bytes.*361"):
        opened(path)


def test_a_header_larger_than_its_file_is_refused_before_memory_is_taken(tmp_path):
    path = saved(tmp_path, LAST)
    path.write_bytes(path.read_bytes().replace(b"(6, 5, 4, 3)", b"(9**9, 9, 9)"))
    with pytest.raises(DatasetError, match=r"a\.npy"):
        opened(path)
    path = saved(tmp_path, LAST)
    path.write_bytes(path.read_bytes().replace(b"(6, 5, 4, 3)", b"(600000,4,3)"))
    with pytest.raises(DatasetError, match="truncated or damaged"):
        opened(path)


def test_a_damaged_compressed_array_is_refused(tmp_path):
    path = savez(tmp_path, np.tile(LAST, (50, 1, 1, 1)), compressed=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DatasetError, match="damaged"):
        opened(path)


def test_a_missing_file_is_named(tmp_path):
    for name in ["x.npy", "x.npz"]:
        with pytest.raises(DatasetError, match=f"{name} does not exist"):
            opened(tmp_path / name)


def test_one_flipped_byte_in_a_stored_npz_is_found(tmp_path):
    path = savez(tmp_path, LAST)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.npz: the checksum of arr_0\.npy differs"):
        opened(path)


def test_rows_take_some_images_of_a_split_under_a_name_of_their_own(tmp_path):
    path = saved(tmp_path, LAST)
    whole, first = opened(path), opened(path, rows=4)
    assert np.array_equal(first.read(range(4)).numpy(), FIRST[:4]) and len(first) == 4
    drawn = opened(path, rows=4, rows_rule=RowRule.numpy_2020)
    chosen = np.sort(np.random.RandomState(2020).choice(6, 4, replace=False))
    assert np.array_equal(drawn.read(range(4)).numpy(), FIRST[chosen])
    assert drawn.image_name(3) == str(chosen[3])
    contents = [source.content()["fingerprint"] for source in (whole, first, drawn)]
    assert len(set(contents)) == 3


def test_rows_choose_labels_too(tmp_path):
    path = savez(tmp_path, LAST, np.array([1, 0, 4, 1, 2, 3]))
    assert opened(path, rows=3).labels.tolist() == [1, 0, 4]


@pytest.mark.parametrize("count", [0, 7])
def test_more_rows_than_there_are_images_are_refused(tmp_path, count):
    with pytest.raises(ConfigError, match=f"rows={count}: the split has 6 images"):
        opened(saved(tmp_path, LAST), rows=count)
