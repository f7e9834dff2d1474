"""The peers of models/keras_*.resin in Keras, as those programs were written there."""

import keras
import tensorflow
from keras import layers


def three_conv():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(image)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.add([x, layers.Conv2D(64, 1, padding="same")(image)])
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def resnet64():
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(64, 7, strides=2, padding="same")(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for _ in range(18):
        y = layers.Conv2D(64, 3, padding="same")(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(64, 3, padding="same")(y))
        x = layers.add([x, y])
    x = layers.AveragePooling2D(4, strides=1, padding="valid")(x)
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


def build(name):
    return {"keras_three_conv": three_conv, "keras_resnet64": resnet64}[name]()


def train_step(network, compiled):
    """One training step as a graph, through XLA where `compiled`; returns the loss. Adam and the loss have Keras's
    defaults."""
    loss = keras.losses.SparseCategoricalCrossentropy()
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)

    @tensorflow.function(jit_compile=compiled)
    def step(image, label):
        with tensorflow.GradientTape() as tape:
            value = loss(label, network(image, training=True))
        optimizer.apply(tape.gradient(value, network.trainable_variables), network.trainable_variables)
        return value

    return step
