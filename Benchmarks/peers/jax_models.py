# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""The models of McMahan et al. (AISTATS 2017) in JAX."""

import jax
import jax.numpy as jnp
from jax import lax


def parameters(name):
    shapes = {
        "2nn": [(784, 200), (200,), (200, 200), (200,), (200, 10), (10,)],
        "cnn": [
            (5, 5, 1, 32), (32,), (5, 5, 32, 64), (64,), (3136, 512), (512,), (512, 10), (10,)],
    }[name]
    keys = jax.random.split(jax.random.key(1), len(shapes))
    # Glorot's uniform distribution; biases are 0.
    return [
        jax.nn.initializers.glorot_uniform()(key, shape) if len(shape) > 1 else jnp.zeros(shape)
        for key, shape in zip(keys, shapes)
    ]


def dense(p, x):
    for i in range(0, len(p) - 2, 2):
        x = jax.nn.relu(x @ p[i] + p[i + 1])
    return x @ p[-2] + p[-1]


def pooled_convolution(x, w, b):
    x = lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return lax.reduce_window(
        jax.nn.relu(x + b), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def loss(name, p, images, labels):
    if name == "2nn":
        scores = dense(p, images.reshape(len(images), 784))
    else:
        x = pooled_convolution(images.reshape(-1, 28, 28, 1), p[0], p[1])
        x = pooled_convolution(x, p[2], p[3])
        scores = dense(p[4:], x.reshape(len(x), 3136))
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1)
    return -chosen.mean()


def step(name, p, images, labels, rate):
    gradient = jax.grad(loss, argnums=1)(name, p, images, labels)
    return [x - rate * g for x, g in zip(p, gradient)]


def epoch(name, p, images, labels, rate):
    """images: steps x batch x ...; all steps in one compiled loop."""

    def one(p, batch):
        return step(name, p, *batch, rate), None

    return lax.scan(one, p, (images, labels))[0]
