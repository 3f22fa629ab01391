"""The networks' published numbers: what their definitions count, and what trained ones misread.

The errors' ranges follow one rule, which was written after these networks had been trained: chance alone would put another
measurement of the published figure on as many digits there in 95 of 100 cases (Wilson's interval).
"""

from anna.chip import facts
from anna.chip.facts import Fact, P
from sim.base.statistics import wilson
from sim.published.row import Range, Row, by, definition, exactly, fitted, prediction, unanswered, within

SHAPE = "the recogniser's shape was derived from these three counts"
CHANCE = "what chance makes of the published figure on as many digits (95 %); known when the range was written"
NO_METHOD = "not a network, so it stands in the table of 1998 (anna published --table-1998)"
NO_ZIP_1990 = "the zip-code digits of 1990 are not here"


def _counts() -> list[Row]:
    """Counts of the LeNets, biases included, as papers 7 and 8 make them."""
    rows = []
    for network, layer, what, count, source in (
        ("lenet1", None, "connections", 64_660, "7"),
        ("lenet1", None, "parameters", 9_760, "7"),
        ("lenet1", None, "units", 1_256, "7"),
        ("lenet1", "H1", "units", 768, "7"),
        ("lenet1", "H1", "connections", 19_968, "7"),
        ("lenet1", "H1", "parameters", 1_068, "7"),
        ("lenet1", "H2", "units", 192, "7"),
        ("lenet1", "H2", "connections", 38_592, "7"),
        ("lenet1", "H2", "parameters", 2_592, "7"),
        ("lenet1", "H3", "parameters", 5_790, "7"),
        ("lenet1", "output", "parameters", 310, "7"),
        ("lenet1_28", None, "parameters", 2_578, "NIPS 2"),
        ("lenet5", None, "parameters", 60_000, "8"),
        ("lenet5", "C1", "parameters", 156, "8"),
        ("lenet5", "S2", "parameters", 12, "8"),
        ("lenet5", "C3", "parameters", 1_516, "8"),
        ("lenet5", "S4", "parameters", 32, "8"),
        ("lenet5", "C5", "parameters", 48_120, "8"),
        ("lenet5", "F6", "parameters", 10_164, "8"),
    ):
        name = "-".join(filter(None, (network, layer and layer.lower(), what))).replace("_", "-")
        place = f"{network}, {layer}" if layer else network
        rows.append(prediction(name, f"{what} of {place}", Fact(count, what, P, source),
                               by("count", network=network, what=what, layer=layer), exactly(count)))  # fmt: skip
    return rows


def _errors() -> list[Row]:
    """Errors of networks that were trained here, on the published test digits."""
    rows = []
    for network, what, error, images, variant in (
        ("lenet1", "LeNet-1 of 1989 on zip-code digits", 5.0, 2_007, ""),
        ("lenet1_28", "LeNet-1", 1.7, 10_000, ""),
        ("lenet4", "LeNet-4", 1.1, 10_000, ""),
        ("boosted_lenet4", "boosted LeNet-4", 0.7, 10_000, ""),
        ("lenet5", "LeNet-5", 0.95, 10_000, ""),
        ("lenet5", "LeNet-5, also trained on distorted digits", 0.8, 10_000, "distorted"),
        ("linear", "the linear network", 12.0, 10_000, ""),
        ("mlp300", "300 hidden units", 4.7, 10_000, ""),
        ("mlp1000", "1000 hidden units", 4.5, 10_000, ""),
    ):
        chance = wilson(error / 100, images)
        name = "-".join(filter(None, (network.replace("_", "-"), variant, "error")))
        rows.append(prediction(name, f"test error of {what}", Fact(error, "%", P, "7" if network == "lenet1" else "8"),
                               by("trained_error_percent", network=network, variant=variant),
                               Range(100 * chance.low, 100 * chance.high, CHANCE)))  # fmt: skip
    return rows


ROWS: tuple[Row, ...] = (
    # --- the recogniser
    fitted("recognizer-connections", "connections of the recogniser", facts.RECOGNIZER_CONNECTIONS,
           by("count", network="recognizer", what="multiply_adds"), Range(135_500, 136_500, "rounded to thousands"), SHAPE),
    fitted("recognizer-chip-connections", "of these on the chip", facts.RECOGNIZER_CHIP_CONNECTIONS,
           by("count", network="recognizer", what="multiply_adds", without="output"),
           Range(132_500, 133_500, "rounded to thousands; 'over' is short by 264, or long by 5,156 with biases"), SHAPE),
    fitted("recognizer-host-connections", "of these in the last layer, on the DSP", facts.RECOGNIZER_HOST_CONNECTIONS,
           by("count", network="recognizer", what="multiply_adds", layer="output"), exactly(3_000), SHAPE),
    prediction("segmenter-connections", "connections of the recogniser at 31 x 6 places", facts.SEGMENTER_CONNECTIONS,
               by("count", network="segmenter", what="multiply_adds"),
               within(2e6, 0.05, "'about 2 million': an independent check of the recogniser's shape")),
    prediction("segmenter-places", "places of the recogniser on an image of 52 x 152",
               Fact(31 * 6, "places", P, "3: 31 x 6"), by("places", network="segmenter"), exactly(186)),
    # --- the LeNets
    *_counts(),
    prediction("lenet1-28-units", "units of lenet1_28", Fact(4_635, "units", P, "NIPS 2"),
               by("count", network="lenet1_28", what="units", constants=1), exactly(4_635, "with the unit that is always one")),
    fitted("lenet1-28-connections", "connections of lenet1_28", Fact(98_442, "connections", P, "NIPS 2"),
           by("count", network="lenet1_28", what="connections"), exactly(98_442), "the 20 kernels of H3 were settled by it"),
    prediction("lenet4-connections", "connections of lenet4", Fact(260_000, "connections", P, "8: about"),
               by("count", network="lenet4", what="connections"), within(260_000, 0.02, "'about 260,000'")),
    prediction("lenet4-parameters", "parameters of lenet4", Fact(17_000, "parameters", P, "8: about"),
               by("count", network="lenet4", what="parameters"), within(17_000, 0.05, "'about 17,000'")),
    prediction("lenet5-connections", "connections of lenet5", Fact(340_000, "connections", P, "8: about"),
               by("count", network="lenet5", what="connections"), within(340_000, 0.01, "two digits are given")),
    # --- errors
    *_errors(),
    unanswered("lenet1-training-error", "training error of LeNet-1 of 1989", Fact(0.14, "%", P, "7"),
               "the weights' record holds test errors only"),
    unanswered("zip-1990-error", "test error of the network of 1990", Fact(3.4, "%", P, "NIPS 2"), NO_ZIP_1990),
    unanswered("zip-1990-training-error", "its training error", Fact(1.1, "%", P, "NIPS 2"), NO_ZIP_1990),
    unanswered("zip-1990-rejects", "rejects for 1 % error on zip-code digits", Fact(9.0, "%", P, "NIPS 2: about"), NO_ZIP_1990),
    *(unanswered(f"{name}-error", f"test error of {what} on MNIST", Fact(error, "%", P, "8"), NO_METHOD)
      for name, what, error in (
          ("rbf", "1000 RBF units", 3.6), ("pca", "40 principal components and a quadratic classifier", 3.3),
          ("neighbour", "the nearest neighbour", 5.0), ("tangent", "tangent distance", 1.1), ("svm", "virtual SVM", 0.8))),
    # --- contained in recipes and data sets
    *(definition(f"{data}-{part}", f"{part} digits of {what}", Fact(count, "digits", P, source),
                 by("digits", data=data, part=part))
      for data, part, what, count, source in (
          ("usps", "train", "the 1989 zip codes", 7_291, "7"), ("usps", "test", "the 1989 zip codes", 2_007, "7"),
          ("mnist", "train", "MNIST", 60_000, "8"), ("mnist", "test", "MNIST", 10_000, "8"))),
    definition("passes-1989", "passes over the digits in 1989", Fact(23, "passes", P, "7"), by("passes", recipe="1989")),
)  # fmt: skip
