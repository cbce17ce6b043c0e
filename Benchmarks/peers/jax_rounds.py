# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Federated averaging in JAX: 10 of 100 clients x 600 images, E 1, B 10, on two cores.

"vmapped": all clients of a round in one compiled computation, an epoch as a compiled loop. "two
threads": a compiled epoch (2NN) or step (CNN) a client, five clients on each of two threads, which JAX
lets run side by side. XLA is slow at convolutions whose filters differ by client and at convolutions
within compiled loops, so the CNN is not vmapped and its loop is Python's.
"""

import peer

peer.use_one_thread()

import functools  # noqa: E402
import random  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

import jax_models  # noqa: E402

shuffles = numpy.random.default_rng(2)


def load():
    images, labels = peer.mnist(as_bytes=True)
    return images, labels.astype(numpy.int32), peer.clients()


def epoch_of(client, data):
    """The batches of one client in a new order: steps x batch x ..."""
    images, labels, clients = data
    rows = shuffles.permutation(clients[client])
    floats = numpy.multiply(images[rows], numpy.float32(1 / 255), dtype=numpy.float32)
    return floats.reshape(60, 10, 28, 28), labels[rows].reshape(60, 10)


def vmapped(name):
    data = load()
    p = jax_models.parameters(name)

    @functools.partial(jax.jit, donate_argnums=0)
    def train(p, images, labels):
        train_one = functools.partial(jax_models.epoch, name)
        trained = jax.vmap(train_one, in_axes=(None, 0, 0, None))(p, images, labels, 0.05)
        return [jnp.mean(x, axis=0) for x in trained]

    def one_round():
        nonlocal p
        epochs = [epoch_of(client, data) for client in random.sample(range(100), 10)]
        images, labels = (numpy.stack(parts) for parts in zip(*epochs))
        p = jax.block_until_ready(train(p, images, labels))

    return one_round


def in_two_threads(name):
    data = load()
    p = jax_models.parameters(name)
    epoch = jax.jit(functools.partial(jax_models.epoch, name))
    step = jax.jit(functools.partial(jax_models.step, name))
    mean = jax.jit(lambda trained: [sum(parts) / len(parts) for parts in zip(*trained)])
    team = ThreadPoolExecutor(2)

    def train(client):
        images, labels = epoch_of(client, data)
        if name == "2nn":
            return jax.block_until_ready(epoch(p, images, labels, 0.05))
        q = p
        for x, y in zip(images, labels):
            q = step(q, x, y, 0.05)
        return jax.block_until_ready(q)

    def one_round():
        nonlocal p
        trained = list(team.map(train, random.sample(range(100), 10)))
        p = jax.block_until_ready(mean(trained))

    return one_round


works = peer.Works("JAX")
works.add_rounds("round-2nn:vmapped", lambda: vmapped("2nn"))
works.add_rounds("round-2nn:two threads", lambda: in_two_threads("2nn"))
works.add_rounds("round-cnn:two threads", lambda: in_two_threads("cnn"))

if __name__ == "__main__":
    works.main()
