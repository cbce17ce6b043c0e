# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Federated averaging in FedJAX: 10 of 100 clients x 600 images, E 1, B 10.

Its own federated averaging on its default backend, a compiled step for every batch; XLA may use both
cores. Images stay bytes until the step. (Its pmap backend calls functions that this JAX does not have any more.)
"""

import peer

peer.use_one_thread()

import functools  # noqa: E402
import random  # noqa: E402

import jax  # noqa: E402

import jax_models  # noqa: E402


def rounds(name):
    import numpy

    # The one thing that FedJAX 0.0.17 misses in this JAX.
    jax.tree_map = jax.tree_util.tree_map
    import fedjax

    images, labels = peer.mnist(as_bytes=True)
    labels = labels.astype(numpy.int32)
    datasets = [
        fedjax.ClientDataset({"x": images[rows], "y": labels[rows]}) for rows in peer.clients()]

    def gradient(p, batch, rng):
        images = batch["x"].astype("float32") / 255
        return jax.grad(functools.partial(jax_models.loss, name))(p, images, batch["y"])

    algorithm = fedjax.algorithms.fed_avg.federated_averaging(
        gradient, fedjax.optimizers.sgd(0.05), fedjax.optimizers.sgd(1.0),
        fedjax.ShuffleRepeatBatchHParams(batch_size=10))
    state = algorithm.init(jax_models.parameters(name))
    keys = jax.random.split(jax.random.key(1), 10)

    def one_round():
        nonlocal state
        cohort = random.sample(range(100), 10)
        state, _ = algorithm.apply(
            state, [(client, datasets[client], key) for client, key in zip(cohort, keys)])
        jax.block_until_ready(state.params)

    return one_round


works = peer.Works("FedJAX")
for model in ("2nn", "cnn"):
    works.add_rounds(f"round-{model}:jit", lambda m=model: rounds(m))

if __name__ == "__main__":
    works.main()
