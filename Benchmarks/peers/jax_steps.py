# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""One step of SGD in JAX, on one core, compiled; and for the 2NN an epoch as one compiled loop.

The batches are float arrays that are there already. JAX makes as many threads as there are cores it
may use, so the process is kept on one.
"""

import peer

peer.use_one_core()

import functools  # noqa: E402

import jax  # noqa: E402

import jax_models  # noqa: E402


def batches(batch):
    images, labels = peer.mnist()
    rows = peer.clients()[0]
    return (
        jax.device_put(images[rows].reshape(-1, batch, 28, 28)),
        jax.device_put(labels[rows].astype("int32").reshape(-1, batch)),
    )


def jitted(name, batch):
    images, labels = batches(batch)
    pairs = [(images[i], labels[i]) for i in range(len(images))]
    p = jax_models.parameters(name)
    step = jax.jit(functools.partial(jax_models.step, name), donate_argnums=0)
    place = 0

    def one():
        nonlocal place, p
        p = jax.block_until_ready(step(p, *pairs[place % len(pairs)], 0.01))
        place += 1

    return lambda seconds: peer.samples(seconds, one)


def scanned(name, batch):
    images, labels = batches(batch)
    p = jax_models.parameters(name)
    epoch = jax.jit(functools.partial(jax_models.epoch, name), donate_argnums=0)

    def one():
        nonlocal p
        p = jax.block_until_ready(epoch(p, images, labels, 0.01))

    return lambda seconds: [s / len(images) for s in peer.samples(seconds, one)]


works = peer.Works("JAX")
for batch in (10, 50):
    works.add(f"step-2nn-{batch}:jit", lambda b=batch: jitted("2nn", b))
    works.add(f"step-2nn-{batch}:scanned epoch", lambda b=batch: scanned("2nn", b))
    works.add(f"step-cnn-{batch}:jit", lambda b=batch: jitted("cnn", b))

if __name__ == "__main__":
    works.main()
