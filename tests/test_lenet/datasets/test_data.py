"""Data sets: the registry, the built-in digits, the readers; partial downloads and wrong files give one clear sentence."""

import gzip
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lenet
from anna.base.errors import DataError
from lenet.datasets import digits, fetch, registry
from lenet.datasets.idx import decode_idx, encode_idx, read_idx, write_idx_gz
from lenet.datasets.labelled import content_digest, image_hashes
from lenet.datasets.usps import read_usps, read_zip_text

# SHA-256 of shape, images and labels of the built-in digits: if they change, every result changes
BUILT_IN = "72d591199204adff6af93449e602c28b556958f8497be26cd1546f692dbde12a"


def real_data():
    """The folder with the full data sets, for tests marked `data`."""
    return Path(os.environ["ANNA_DATA"])


def test_the_built_in_digits_are_500_of_each_class_and_never_change():
    whole = digits.built_in()
    assert whole.images.shape == (5000, 28, 28)
    assert np.bincount(whole.labels).tolist() == [500] * 10
    assert whole.labels[:20].tolist() == [*range(10), *range(10)]
    assert whole.digest == BUILT_IN


def test_calibration_and_holdout_share_no_digit():
    images, labels = lenet.holdout()
    assert (images.shape, images.dtype) == ((4500, 28, 28), np.uint8)
    assert np.bincount(labels).tolist() == [450] * 10
    few, their_labels = lenet.calibration()
    assert few.shape == (500, 28, 28)
    assert np.bincount(their_labels).tolist() == [50] * 10
    assert not set(image_hashes(images)) & set(image_hashes(few))


def test_digits_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        lenet.holdout()[0][0, 0, 0] = 1


@pytest.mark.data
def test_the_built_in_digits_are_the_first_500_of_each_class_of_the_training_set():
    whole = digits.digits("mnist", "train", real_data())
    built_in = digits.built_in()
    for label in range(10):
        first = np.flatnonzero(whole.labels == label)[:500]
        assert np.array_equal(whole.images[first], built_in.images[built_in.labels == label])


@pytest.mark.data
def test_training_digits_leave_the_built_in_ones_out():
    shown = digits.training_digits("mnist", real_data())
    assert len(shown) == 55_000
    assert not set(image_hashes(shown.images)) & set(image_hashes(digits.built_in().images))


@pytest.mark.data
def test_the_published_sizes():
    folder = real_data()
    assert len(digits.digits("mnist", "test", folder)) == 10_000
    assert len(digits.training_digits("usps", folder)) == 7_291
    assert len(digits.digits("usps", "test", folder)) == 2_007
    images, labels = lenet.calibration("usps", str(folder))
    assert images.shape == (500, 16, 16)
    assert np.bincount(labels).tolist() == [50] * 10


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
@settings(max_examples=50, deadline=None)
def test_idx_comes_back(array):
    assert np.array_equal(decode_idx(encode_idx(array), "memory"), array)
    assert decode_idx(encode_idx(array), "memory").shape == array.shape


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    try:
        array = decode_idx(data, "x.idx")
    except DataError as error:
        sentence = str(error)
    else:
        assert encode_idx(array) == data
        return
    assert sentence.startswith("x.idx: ")


IDX = encode_idx(np.zeros((3, 2, 2), np.uint8))
BAD_IDX = [
    (b"", "does not start like an IDX file; expected two zero bytes, a type and a number of axes"),
    (b"PK\x03\x04 and more", "does not start like an IDX file; expected"),
    (IDX[:2] + b"\x0d" + IDX[3:], "holds IDX type 0x0d; expected 0x08, unsigned bytes"),
    (IDX[:3] + b"\x09" + IDX[4:], "declares 9 axes in 28 bytes; expected 1 to 4 axes with a size each"),
    (IDX[:-1], "holds 11 bytes after the header; expected 12 for shape (3, 2, 2)"),
    (IDX + b"\0", "holds 13 bytes after the header; expected 12 for shape (3, 2, 2)"),
    (gzip.compress(IDX)[:-9], "the gzip stream is cut off or damaged"),
    (gzip.compress(IDX)[:12] + b"\xff\xff" + gzip.compress(IDX)[14:], "the gzip stream is cut off or damaged"),
]


@pytest.mark.parametrize(("data", "sentence"), BAD_IDX, ids=range(len(BAD_IDX)))
def test_half_an_idx_file_is_refused(tmp_path, data, sentence):
    path = tmp_path / "digits"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path}: {sentence}")


def test_the_same_digits_make_the_same_file(tmp_path):
    for name in ("one", "two"):
        write_idx_gz(tmp_path / name, np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with pytest.raises(DataError, match=r"array is int64; expected uint8 for an IDX file"):
        encode_idx(np.zeros(2, int))


def zip_line(label, value, count=256):
    return " ".join([f"{label}.0000", *[f"{value:.4f}"] * count]) + " \n"


def test_the_text_form_of_usps(tmp_path):
    lines = zip_line(6, -1) + zip_line(3, 1) + zip_line(0, 0.5)
    (tmp_path / "zip.test.gz").write_bytes(gzip.compress(lines.encode()))
    images, labels = read_usps(tmp_path, "test")
    assert labels.tolist() == [6, 3, 0]
    assert [int(image.min()) for image in images] == [0, 255, 191]
    assert images.shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (zip_line(6, -1, 255), "line 1 holds 256 words; expected a label and 256 numbers"),
        (zip_line(6, -1) + "6 x\n", "line 2 holds 2 words; expected a label and 256 numbers"),
        (zip_line(6, 1.5), "a pixel is NaN or out of range; expected values from 0 (paper) to 1 (ink)"),
        (zip_line(6, float("nan")), "a pixel is NaN or out of range; expected values from 0 (paper) to 1 (ink)"),
        (zip_line(12, 1), "labels are not integers from 0 to 9"),
    ],
)
def test_a_wrong_text_file_is_refused(tmp_path, lines, sentence):
    path = tmp_path / "zip.train"
    path.write_text(lines)
    with pytest.raises(DataError) as caught:
        read_zip_text(path)
    assert str(caught.value) == f"{path}: {sentence}"


def test_the_hdf5_form_without_h5py_or_damaged(tmp_path, monkeypatch):
    (tmp_path / "usps.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(DataError, match=r"reading HDF5 needs the package h5py, which is not installed; install it or use zip"):
        read_usps(tmp_path, "train")
    monkeypatch.undo()
    pytest.importorskip("h5py")
    with pytest.raises(DataError, match=r"usps\.h5: cannot be read as HDF5 with train/data and train/target"):
        read_usps(tmp_path, "train")


def test_empty_folders_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("ANNA_DATA", raising=False)
    cases = [
        (lambda: digits.digits("mnist", "test"), "no data folder is known; set ANNA_DATA to the folder with"),
        (
            lambda: digits.digits("mnist", "test", tmp_path / "no"),
            f"{tmp_path / 'no'}: is not a folder; expected the data folder",
        ),
        (
            lambda: digits.digits("mnist", "test", tmp_path),
            f"{tmp_path / 'mnist'}: holds neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz; run",
        ),
        (
            lambda: digits.digits("usps", "test", tmp_path),
            f"{tmp_path / 'usps'}: holds none of usps.h5, zip.test.gz and zip.test;",
        ),
        (
            lambda: digits.digits("cifar", "test", tmp_path),
            "data set 'cifar' is not known; expected one of mnist, usps",
        ),
        (
            lambda: digits.digits("usps", "validation", tmp_path),
            "data set usps has no part 'validation'; expected one of train, test",
        ),
        (lambda: digits.holdout("usps"), "data set usps: none of its images are built in"),
        (lambda: digits.for_results("cifar"), "no images are named 'cifar'; expected one of holdout, mnist, usps"),
    ]
    for call, sentence in cases:
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value).startswith(sentence)


def test_too_few_digits_are_refused(tmp_path):
    home = tmp_path / "mnist"
    home.mkdir()
    write_idx_gz(home / "t10k-images-idx3-ubyte.gz", np.zeros((5, 28, 28), np.uint8))
    write_idx_gz(home / "t10k-labels-idx1-ubyte.gz", np.zeros(5, np.uint8))
    with pytest.raises(DataError, match=r"mnist: holds 5 test digits; expected 10,000"):
        digits.digits("mnist", "test", tmp_path)
    write_idx_gz(home / "t10k-labels-idx1-ubyte.gz", np.zeros(4, np.uint8))
    with pytest.raises(DataError, match=r"labels are uint8 of shape \(4,\); expected uint8 of shape \(5,\)"):
        digits.digits("mnist", "test", tmp_path)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A small data set on a mirror that is a folder."""
    home = tmp_path / "mirror"
    home.mkdir()
    data = encode_idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
    (home / "a.gz").write_bytes(gzip.compress(data))
    (home / "b.gz").write_bytes(gzip.compress(data * 2))
    files = (
        registry.DataFile("a.gz", hashlib.sha256(data).hexdigest()),
        registry.DataFile("b.gz", hashlib.sha256(data * 2).hexdigest()),
        registry.DataFile("c.h5", hashlib.sha256(data * 3).hexdigest(), on_mirrors=False),
    )
    monkeypatch.setattr(registry, "DATA_SETS", {"mnist": replace(registry.MNIST, files=files)})
    return home


def test_fetch_checks_and_leaves_intact_files_alone(mirror, tmp_path):
    seen = []
    folder = tmp_path / "data"
    call = {"mirrors": (mirror.as_uri(),), "progress": lambda name, now, total: seen.append(name)}
    paths = fetch.fetch("mnist", folder, **call)
    assert [p.name for p in paths] == ["a.gz", "b.gz"]
    assert seen == ["a.gz", "b.gz"]
    assert [one.state for one in fetch.verify(folder)] == ["intact", "intact", "missing"]
    paths[1].write_bytes(paths[1].read_bytes()[:-3])
    assert [one.state for one in fetch.verify(folder)] == ["intact", "damaged", "missing"]
    fetch.fetch("mnist", folder, **call)
    assert seen == ["a.gz", "b.gz", "b.gz"]
    assert [one.state for one in fetch.verify(folder)] == ["intact", "intact", "missing"]


def test_a_plain_file_in_place_of_the_gzipped_one_is_intact(mirror, tmp_path):
    home = tmp_path / "data" / "mnist"
    home.mkdir(parents=True)
    (home / "a").write_bytes(gzip.decompress((mirror / "a.gz").read_bytes()))
    assert [one.state for one in fetch.verify(tmp_path / "data")] == ["intact", "missing", "missing"]


def test_a_cut_off_or_changed_download_leaves_nothing(mirror, tmp_path):
    (mirror / "b.gz").write_bytes((mirror / "b.gz").read_bytes()[:-5])
    with pytest.raises(DataError) as caught:
        fetch.fetch("mnist", tmp_path / "data", mirrors=(mirror.as_uri(), (tmp_path / "none").as_uri()))
    sentence = str(caught.value)
    assert sentence.startswith("b.gz: could not be fetched intact; file:")
    assert "the gzip stream is cut off or damaged" in sentence
    assert "\n" not in sentence
    assert [p.name for p in (tmp_path / "data" / "mnist").iterdir()] == ["a.gz"]
    (mirror / "b.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(DataError, match=r"b\.gz: could not be fetched intact; .*: unpacked sha256 is \w+; expected \w+"):
        fetch.fetch("mnist", tmp_path / "data", mirrors=(mirror.as_uri(),))


def test_an_unknown_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"data set 'cifar' is not known; expected one of mnist, usps"):
        fetch.fetch("cifar", tmp_path)


@pytest.mark.data
def test_the_real_files_have_their_checksums():
    states = {one.file.name: one.state for one in fetch.verify(real_data())}
    assert "damaged" not in states.values()
    assert states["t10k-images-idx3-ubyte.gz"] == "intact"


def test_a_content_digest_knows_the_digits_in_any_order():
    images, labels = lenet.holdout()
    back = np.arange(100)[::-1]
    one = content_digest((images[:100], labels[:100]))
    assert one == content_digest((images[back], labels[back]))
    assert one != content_digest((images[:100], labels[1:101]))


def test_a_data_set_has_everything_its_users_need():
    for name, one in registry.DATA_SETS.items():
        assert one.name == name
        assert set(one.parts) == {"train", "test"}
        assert one.citation and one.mirrors
        assert 0 < one.digit <= one.middle <= min(one.shape)
        for file in one.files:
            assert (file.read is None) == bool(file.sha256) == (not file.content), "one checksum, of bytes or of images"


def test_sources_of_images_for_results_are_the_built_in_digits_and_the_test_parts():
    assert set(registry.SOURCES) == {"holdout", *registry.DATA_SETS}
    assert (registry.MNIST.results, registry.USPS.results) == ("holdout", "usps")
    assert digits.for_results("holdout").digest == digits.holdout().digest


def test_digits_are_scaled_to_the_size_a_network_needs():
    sizes = {(name, size): registry.data_set(name).scaled(size) for name in ("mnist", "usps") for size in (16, 20)}
    assert sizes == {("mnist", 16): (22, 22), ("mnist", 20): None, ("usps", 16): None, ("usps", 20): (20, 20)}
