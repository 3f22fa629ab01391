"""Compiled programs that several tests of comparisons share."""

import pytest

import anna
import lenet
from lenet.datasets.labelled import LabelledImages
from sim.inputs.digits import for_network

IMAGES = 300


@pytest.fixture(scope="module")
def made() -> tuple[object, anna.Program, LabelledImages]:
    network = lenet.load("recognizer", data="mnist")
    digits, (images, _) = for_network(network, None)
    return network, anna.compile(network, images, check_count=0), digits.first(IMAGES)


@pytest.fixture(scope="module")
def paged() -> anna.Program:
    program = anna.compile(lenet.load("lenet5"), lenet.calibration()[0], check_count=0, calibration_count=50)
    assert len(program.weight_codes) > 1
    return program
