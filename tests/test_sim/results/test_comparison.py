"""Compare as a function and as a command, and its report."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from command_line import call, good, refused
from matplotlib.figure import Figure

import anna
import lenet
import sim
from anna.analog.noise import NOISE_VERSION
from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.network.forward import forward
from anna.network.images import image_keys
from sim.comparison.layers import float_maps, layer_maps
from sim.inputs.digits import expect_disjoint, for_network, labelled_images
from sim.report.colours import FAINT, INK, PAPER
from sim.results.comparison import CHIPS, FEW_CHIPS, Comparison, compare, default_chips
from sim.results.ledger import ledger

IMAGES = 300


@pytest.fixture(scope="module")
def found(made) -> Comparison:
    network, program, digits = made
    return compare(network, program, digits, chips=3, chip_seed=5, noise_seed=5, threads=2)


def test_five_lines_of_python_lead_from_a_network_to_a_plot() -> None:
    net = lenet.load("recognizer", data="mnist")
    images, labels = lenet.holdout()
    program = anna.compile(net, calibration=lenet.calibration(), calibration_count=50)
    result = anna.Chip(seed=7, analog=anna.Analog.typical()).run(program, images[:100])
    assert len(result.scores) == len(result.labels) == 100 and result.cycles > 0 and result.seconds > 0
    figure = sim.compare(net, program, images[:100], labels[:100], chips=2).plot()
    assert isinstance(figure, Figure) and figure.axes


def test_kinds_of_chips_are_presets_records_or_records_with_a_name(made) -> None:
    network, program, digits = made
    mild = Analog.typical().alone("droop")
    some = digits.first(20)
    found = compare(network, program, some, chips=1, analogs=["worst", Analog.typical(), mild, ("leaky", mild)])
    assert [arm.name for arm in found.arms[2:]] == ["worst chips", "typical chips", "own chips", "leaky"]
    assert found.arms[2].analog == Analog.worst()
    assert [arm.name for arm in compare(network, program, some, chips=1, analogs="worst").arms[2:]] == ["worst chips"]
    assert ledger(program, some, chips=1, analog=("leaky", mild)).kind == "leaky"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"analogs": ["superb"]},
            "there is no preset 'superb'; expected ideal, typical or worst, or one of typical-v2, worst-v3, typical-all-wire, "
            "typical-all-converter, worst-v2, typical-v1, worst-v1, as-measured",
        ),
        ({"analogs": [7]}, "7 is not a kind of chips; expected a preset such as 'worst', an Analog, or (name, Analog)"),
        ({"analogs": ["worst", "worst"]}, "2 kinds are named 'worst chips'; expected distinct names: (name, Analog)"),
        ({"chips": 0}, "chips is 0; expected 1 to 1000000"),
        ({"limit": 1.5}, "limit is 1.5; expected a share of images between 0 and 1"),
        ({"chips": 2.5}, "chips is 2.5; expected a whole number"),
        ({"chip_seed": "a"}, "chip_seed is 'a'; expected a whole number"),
        ({"threads": 0}, "threads is 0; expected at least 1"),
        ({"program": 5}, "compare needs a network and its program, got Graph and int"),
        ({"labels": None}, "labels are missing; expected one per image"),
        ({"labels": [1, 2]}, "labels have shape (2,); expected (20,), one per image"),
        ({"labels": [0.5] * 20}, "labels are float64; expected integers"),
        ({"images": "digits.npy"}, "there are no images; expected at least one"),
        ({"images": np.zeros((0, 28, 28), np.uint8), "labels": []}, "there are no images; expected at least one"),
    ],
)
def test_what_cannot_be_compared_is_refused(made, given: dict[str, object], sentence: str) -> None:
    network, program, digits = made
    some = digits.first(20)
    with pytest.raises(anna.AnnaError, match=f"^{re.escape(sentence)}$"):
        compare(**{"network": network, "program": program, "images": some.images, "labels": some.labels, **given})


def test_the_arms_are_what_they_say(found: Comparison, made) -> None:
    network, program, digits = made
    reference, ideal, typical = found.arms
    np.testing.assert_array_equal(reference.labels_cn[0], forward(network, digits.images).labels)
    np.testing.assert_array_equal(ideal.labels_cn[0], anna.Chip().run(program, digits.images).labels)
    for chip, seed in enumerate((5, 6, 7)):
        result = anna.Chip(seed=seed).run(program, digits.images, noise_seed=5)
        np.testing.assert_array_equal(typical.labels_cn[chip], result.labels)


def test_the_rows_have_the_documented_fields(found: Comparison) -> None:
    for row in found.rows():
        assert {"name", "chips", "error", "low", "high", "error_std_over_chips", "disagreement"} <= set(row)
        assert 0 <= row["low"] <= row["error"] <= row["high"] <= 1
    whole = found.to_json()
    assert {"network", "data", "images", "chips", "seed", "float_error", "arms", "ledger", "chip_us_per_image"} <= set(whole)
    json.dumps(whole, allow_nan=False)


def test_yields_are_of_all_chips(made) -> None:
    """Median, nine of ten, worst and good chips are those of the chips' own errors, and p is of all chips."""
    network, program, digits = made
    found = compare(network, program, digits, chips=6, limit=0.02)
    arm, row = found.arms[2], found.rows()[2]
    errors = sorted((arm.wrong_cn(digits.labels).sum(axis=1) / len(digits)).tolist())
    assert (row["median"], row["worst"]) == (pytest.approx((errors[2] + errors[3]) / 2), errors[-1])
    assert (row["p90"], row["p90_high"]) == (errors[-1], None)  # six chips do not bound it
    assert row["good"] == sum(error <= 0.02 for error in errors) / 6
    assert row["p_value_against_float"] == found.p_value(arm) != found.paired(arm).p_value
    assert len(found.rejects(arm).curves) == 6
    assert row["rejects_for_0.01"] == found.rejects(arm).needed_for(0.01).mean
    assert "within limit" in found.table() and "misread at most 2 %" in found.table()
    assert "median" in (ideal := found.rows()[1]) and ideal["median"] is None and ideal["good"] is None


def test_chips_are_many_where_they_are_cheap(made) -> None:
    _, program, _ = made
    costly = replace(program, report={**program.report, "chip_multiply_adds": 10**9})
    assert default_chips(program, 4500) == CHIPS > default_chips(costly, 4500) == FEW_CHIPS


@pytest.mark.slow
def test_trimmed_chips_are_the_same_chips_with_other_programs(made) -> None:
    network, program, digits = made
    found = compare(network, program, digits, chips=2, trimmed=True, threads=2)
    assert [arm.name for arm in found.arms] == ["float", "ideal chip", "typical chips", "typical chips, trimmed"]
    drawn, trimmed = found.arms[2:]
    assert drawn.seeds == trimmed.seeds
    assert (drawn.labels_cn != trimmed.labels_cn).any()


def test_a_second_run_gives_the_same_bits(found: Comparison, made) -> None:
    network, program, digits = made
    again = compare(network, program, digits, chips=3, chip_seed=5, noise_seed=5, threads=1)
    assert again.to_json() == found.to_json()


def test_recompiled_and_reloaded_the_program_reads_the_same(made, tmp_path: Path) -> None:
    _, program, digits = made
    program.save(tmp_path / "x.anna")
    again = anna.Program.load(tmp_path / "x.anna")
    first, second = (anna.Chip(seed=1).run(p, digits.images) for p in (program, again))
    np.testing.assert_array_equal(first.scores, second.scores)


def test_some_of_the_digits_have_all_classes_evenly() -> None:
    part = labelled_images("holdout").first(100)
    assert np.bincount(part.labels).tolist() == [10] * 10
    assert part.name == "built-in hold-out (of 4,500)"


def test_calibration_and_results_never_overlap() -> None:
    digits, (images, _) = for_network(lenet.load("recognizer", data="mnist"), None)
    expect_disjoint(digits.images, image_keys(images))
    with pytest.raises(DataError, match="1 images are used for both calibration and results; expected none"):
        expect_disjoint(digits.images, image_keys(digits.images[7:8].astype(float)))


def test_a_program_knows_what_it_was_calibrated_on(made, tmp_path: Path) -> None:
    """So a comparison need not be told which images those were, even after the program was saved."""
    network, program, _ = made
    images, labels = lenet.calibration()
    program.save(tmp_path / "r.anna")
    for one in (program, anna.Program.load(tmp_path / "r.anna")):
        for show in (lambda *digits, one=one: compare(network, one, *digits), lambda *digits, one=one: ledger(one, *digits)):
            with pytest.raises(DataError, match="500 images are used for both calibration and results; expected none"):
                show(images, labels)


def test_images_that_calibration_left_out_are_allowed_in_results() -> None:
    network, (images, labels) = lenet.load("linear"), lenet.calibration()
    program = anna.compile(network, images, calibration_count=50)
    left = ~np.isin(image_keys(images), program.calibrated_on)
    assert left.sum() == 450
    assert len(compare(network, program, images[left], labels[left], chips=1).digits) == 450


def test_digits_of_another_data_set_are_refused() -> None:
    with pytest.raises(DataError, match="network recognizer was trained on usps; holdout would compare nothing"):
        for_network(lenet.load("recognizer", data="usps"), "holdout")


@pytest.mark.slow
def test_the_command_prints_table_and_page(tmp_path: Path) -> None:
    text = good("compare", "--count", 200, "--chips", 2, "--output", tmp_path / "r.html", cwd=tmp_path)
    assert text.splitlines()[0] == "recognizer on built-in hold-out (of 4,500), 200 images"
    for name in ("float", "ideal chip", "typical chips", "where it was lost", "chip time", "equal:", "chosen:", "fitted:"):
        assert name in text
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "<script" not in page
    for part in page.split("<figure>")[1:]:
        ElementTree.fromstring(part[part.index("<svg") : part.index("</svg>") + 6])


def test_the_page_has_all_its_parts(found: Comparison, made) -> None:
    _, program, digits = made
    lost = ledger(program, digits.first(20), chips=1)
    page = replace(found, ledger=lost).page("anna compare")
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "Chip by chip, and error against rejects", "Where it was lost", "Errors by class", "What the program does",
        "Layer by layer", "One digit", "A drawn chip", "How this was made",
    ]  # fmt: skip
    captions = re.findall("<figcaption>(.*?)</figcaption>", page)
    assert len(captions) == page.count("<figure>") == 8
    assert "All 4,096 synapses of the chip with seed 5 (typical chips)" in page
    assert all(arm.name in page for arm in found.arms)
    assert "on the typical chips" in page


def test_what_is_shown_in_a_notebook_is_short(found: Comparison, made) -> None:
    """One line, without arrays."""
    network, program, digits = made
    chip = anna.Chip(seed=7)
    lines = ledger(program, digits.first(20), chips=1, analog=Analog.typical().alone("droop"))
    things = (network, program, digits, found, found.reference, lines, anna.Chip(), chip, chip.die(), anna.verified(program))
    for thing in things:
        assert len(repr(thing)) < 200 and "array(" not in repr(thing) and "object at" not in repr(thing), repr(thing)
    assert repr(chip) == "Chip(seed 7, typical)"
    assert "droop" in lines._repr_html_()
    assert ">droop</text>" in lines.plot()._repr_svg_()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_command_speaks_json(tmp_path: Path) -> None:
    arguments = (
        "compare",
        "--count",
        "100",
        "--chips",
        "2",
        "--ledger",
        "none",
        "--json",
        "--chip-seed",
        "4",
        "--noise-seed",
        "4",
    )
    first, second = (json.loads(good(*arguments, cwd=tmp_path)) for _ in range(2))
    assert first == second
    assert [arm["name"] for arm in first["arms"]] == [
        "float", "ideal chip", "typical chips", "ideal, chip-trained", "typical, chip-trained"]  # fmt: skip
    assert (first["seed"], first["noise_version"]) == (4, NOISE_VERSION)


@pytest.mark.slow
def test_compile_and_run_from_the_command_line(tmp_path: Path) -> None:
    compiled = json.loads(good("compile", "recognizer", "--data", "mnist", "-o", tmp_path / "r.anna", "--json"))
    assert {"network", "file", "cycles_per_image", "chip_us_per_image", "board_images_per_s", "synapses_used", "pages",
            "host_connections", "chip_connections", "layers"} <= set(compiled)  # fmt: skip
    assert {"name", "binds", "cycles", "bound_cycles", "sqnr_db", "saturated_share", "where"} <= set(compiled["layers"][0])
    images, labels = lenet.holdout()
    np.save(tmp_path / "digits.npy", images[:40])
    ran = json.loads(good("run", tmp_path / "r.anna", "--images", tmp_path / "digits.npy", "--analog", "typical",
                          "--chip-seed", 7, "--json"))  # fmt: skip
    assert (ran["images"], ran["chip_seed"], ran["noise_seed"], ran["noise_version"]) == (40, 7, 0, NOISE_VERSION)
    assert np.mean(np.array(ran["labels"]) == labels[:40]) > 0.9
    assert good("compile", "recognizer", "--print-after", "place", "-o", tmp_path / "r.anna").startswith("; --- after place")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("compare", "lenet9"), "network 'lenet9' is not known"),
        (("compare", "--count", "99999"), "99999 digits requested, but built-in hold-out has 4500"),
        (("compare", "--chips", "0"), "chips is 0; expected 1 to 1000000"),
        (("compare", "--threads", "-3"), "threads is -3; expected at least 1"),
        (("compare", "--threads", "0"), "threads is 0; expected at least 1"),
        (("compare", "--analog", "superb"), "superb"),
        (("compare", "--chip", "weight_bits=99"), "weight_bits: expected at most 16"),
        (("compile", "linear", "--chip", "wieght_bits=3"), "chip: wieght_bits is not known; the nearest is weight_bits"),
        (("compile", "linear", "--chip", "foo=3"), "chip: foo is not known; expected one of instruction_set, shift_from,"),
        (("compile", "linear", "--chip", "fan_ins=16"), "no neuron reads exactly one row of 64 columns (fan-ins 16)"),
        (("compile", "linear", "--batch", "0"), "compile options: batch: expected at least 1, got 0"),
        (
            ("compare", "--machine", "cray"),
            "argument --machine: invalid choice: 'cray' (choose from 'sequencer', 'board-1991', 'board-1996', 'wide')",
        ),
        (("compile", "net.txt"), "net.txt: is neither .onnx nor .safetensors"),
        (("compile", "none.safetensors"), "none.safetensors: cannot be read"),
    ],
)
def test_bad_input_gets_one_clear_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    said = refused(*arguments, cwd=tmp_path)
    assert sentence in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    done = call("compare", "--count", "50", "--ledger", "none", "-o", tmp_path / "no" / "r.html", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written (there is no folder" in done.stderr


def test_signal_to_noise_of_layers(found: Comparison, made) -> None:
    network, program, digits = made
    assert [row["layer"] for row in found.layers] == ["C1", "S2", "C3", "S4"]
    for row in found.layers:
        assert 5 < row["typical chips"] < row["ideal chip"] < 40
    maps = layer_maps(float_maps(network, program, digits.images[:2]), program, digits.images[:2], anna.Chip())
    assert maps[0].float_maps.shape == maps[0].chip_maps.shape == (2, 4, 28, 28)


def test_a_figure_is_legible_on_its_own(found: Comparison) -> None:
    """Outside a page there are no CSS variables: dark ink and faint lines on an opaque light background."""
    ground = found.plot().get_facecolor()
    ink, faint, paper = (sum(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in (INK, FAINT, PAPER))
    assert min(ground) > 0.95  # opacity too
    assert ink < 150 < 500 < faint < 700 < paper
