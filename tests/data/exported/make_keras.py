"""Writes keras_*.onnx, or with TensorFlow tensorflow_*.onnx and tf2onnx_*.onnx. README.md tells how to run it.

The exporter is that of the back end: PyTorch's, or tf2onnx. Pictures have their map last.
"""

import keras
import numpy as np
from keras import Input, Sequential, layers
from small_digits import small_digits
from stored import HOME, store


def plain() -> keras.Model:
    """What a tutorial has."""
    return Sequential([
        Input((14, 14, 1)), layers.Conv2D(4, 3, activation="relu"), layers.AveragePooling2D(2),
        layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.25), layers.Dense(16, activation="tanh"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def same() -> keras.Model:
    """Padding on one side more than on the other, batch normalisation, maxima."""
    return Sequential([
        Input((14, 14, 1)), layers.Rescaling(0.5, offset=0.5), layers.Conv2D(4, 4, padding="same", strides=2, use_bias=False),
        layers.BatchNormalization(), layers.ReLU(6.0), layers.SeparableConv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"), layers.Flatten(), layers.Dense(10),
    ])  # fmt: skip


def means() -> keras.Model:
    """Flat pictures, padding of its own, a full connection over maps, means of whole maps."""
    over_maps = layers.Conv2D(12, 1, activation="hard_sigmoid") if keras.backend.backend() == "tensorflow" else \
        layers.Dense(12, activation="hard_sigmoid")  # fmt: skip
    return Sequential([
        Input((196,)), layers.Reshape((14, 14, 1)), layers.ZeroPadding2D(((1, 0), (0, 1))),
        layers.Conv2D(8, 5, strides=2, activation="tanh"), over_maps, layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])  # fmt: skip


def flat() -> keras.Model:
    """No convolution at all; pictures without an axis for their map."""
    return Sequential([
        Input((14, 14)), layers.Flatten(), layers.Dense(16), layers.BatchNormalization(), layers.Activation("relu"),
        layers.Dense(10, activation="log_softmax"),
    ])  # fmt: skip


def trained(net: keras.Model) -> keras.Model:
    """A few passes over 500 digits."""
    pictures, labels = small_digits()
    wanted = np.eye(10, dtype=np.float32)[labels]
    net.compile(keras.optimizers.Adam(0.01), "mse" if net.layers[-1].activation is keras.activations.linear
                else "categorical_crossentropy" if net.layers[-1].activation is keras.activations.softmax
                else lambda true, logs: -keras.ops.sum(true * logs, axis=-1))  # fmt: skip
    net.fit(pictures.reshape(len(pictures), *net.input_shape[1:]), wanted, batch_size=25, epochs=20, verbose=0)
    return net


def main() -> None:
    """Train and export."""
    keras.utils.set_random_seed(1)
    nets = {make.__name__: trained(make()) for make in (plain, same, means, flat)}
    if keras.backend.backend() == "torch":
        for name, net in nets.items():
            net.export(str(HOME / f"keras_{name}.onnx"), format="onnx", verbose=False)
        store("keras")
        return
    import tensorflow
    import tf2onnx

    for name, net in nets.items():
        if name in ("plain", "same"):
            net.export(str(HOME / f"tensorflow_{name}.onnx"), format="onnx", verbose=False)
        else:
            picture = tensorflow.TensorSpec((None, *net.input_shape[1:]), tensorflow.float32, name="picture")
            function = tensorflow.function(lambda x, net=net: net(x, training=False), input_signature=[picture])
            tf2onnx.convert.from_function(function, [picture], opset=9 if name == "means" else 18,
                                          output_path=str(HOME / f"tf2onnx_{name}.onnx"))  # fmt: skip
    store("tensorflow")
    store("tf2onnx")


if __name__ == "__main__":
    main()
