"""`anna watch` from the command line: the page it writes, what it says of it, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import good, refused

import anna


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "codes.npy"
    np.save(path, np.random.default_rng(1).integers(0, 8, (3, 1, 8, 8)))
    return path


def test_it_tells_what_the_interpreter_gives_on_both_chips(edges: Path, images: Path, tmp_path: Path) -> None:
    told = json.loads(good("watch", edges, "--codes", images, "--image", 2, "--chip-seed", 7, "--noise-seed", 5, "--json",
                           "-o", tmp_path / "p.html"))  # fmt: skip
    program, codes = anna.Program.load(edges), np.load(images)
    for name, chip in (("ideal chip", anna.Chip()), ("typical chip, seed 7", anna.Chip(seed=7))):
        options = {"noise_seed": 5, "image_ids": [2], "engine": "interpreter"}
        assert told["outputs"][name] == {"edges": chip.run_codes(program, codes[2:], **options).codes["edges"][0].tolist()}
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert told["bytes"] == (tmp_path / "p.html").stat().st_size
    assert "<title>edges on ANNA</title>" in page and "Image 2 of" in page


def test_the_ideal_chip_can_stand_alone(edges: Path, images: Path, tmp_path: Path) -> None:
    told = json.loads(good("watch", edges, "--codes", images, "--analog", "ideal", "--json", "-o", tmp_path / "p.html"))
    assert told["chips"] == ["ideal chip"]


def test_a_network_by_name_is_compiled_and_its_answer_told(tmp_path: Path) -> None:
    said = good("watch", "recognizer", "holdout", "--calibration-count", 20, "--check-count", 0, cwd=tmp_path)
    assert "recognizer.html: 0." in said and "instructions; open it in a browser" in said
    page = (tmp_path / "recognizer.html").read_text(encoding="utf-8")
    assert 100_000 < len(page) < 5_000_000 and "Image 0 of holdout, a " in page


def test_what_cannot_be_shown_is_refused_in_a_sentence(edges: Path, images: Path, tmp_path: Path) -> None:
    empty, flat = tmp_path / "empty.npy", tmp_path / "flat.npy"
    np.save(empty, np.zeros((0, 1, 8, 8), int))
    np.save(flat, np.zeros((2, 7, 7), int))
    page = tmp_path / "never.html"
    for arguments, sentence in (
        ((edges,), "no image given; give either IMAGES or --codes FILE"),
        ((edges, "holdout", "--codes", images), "are given; expected one of them"),
        ((edges, "holdout"), "has no host to prepare images"),
        ((edges, "--codes", images, "--image", 3), "holds 3 images; expected --image below that, got 3"),
        ((edges, "--codes", empty), "holds 0 images"),
        ((edges, "--codes", flat), "codes have shape (1, 7, 7); program edges takes (n, 1, 8, 8)"),
        ((edges, "--codes", images, "--slot", 1), "slot"),
        ((edges, "--codes", images, "--chip-seed", -1), "the chip's seed"),
        ((tmp_path / "none.anna", "--codes", images), "none.anna"),
        ((images, "--codes", images), "is neither .onnx nor .safetensors"),
    ):
        assert sentence in refused("watch", *arguments, "-o", page), arguments
        assert not page.exists()
