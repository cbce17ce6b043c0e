# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""One step of SGD in PyTorch, on one core. The batches are float tensors that are there already.

torch.compile is left out: on all of these models its steps were slower than eager ones, and it
compiles for up to a minute first.
"""

import peer

peer.use_one_core()

import torch  # noqa: E402

from torch_models import model, optimizer, step  # noqa: E402

torch.set_num_threads(1)


def steps(name, batch, kind, channels_last):
    images, labels = peer.mnist()
    rows = peer.clients()[0]
    images, labels = torch.tensor(images[rows])[:, None], torch.tensor(labels[rows])
    net = model(name)
    batches = list(zip(images.split(batch), labels.split(batch)))
    if channels_last:
        net = net.to(memory_format=torch.channels_last)
        batches = [(x.to(memory_format=torch.channels_last), y) for x, y in batches]
    sgd = optimizer(net, kind, 0.01)
    place = 0

    def one():
        nonlocal place
        step(net, sgd, *batches[place % len(batches)])
        place += 1

    return lambda seconds: peer.samples(seconds, one)


works = peer.Works("PyTorch")
for batch in (10, 50):
    for kind in ("plain", "foreach", "fused"):
        works.add(
            f"step-2nn-{batch}:{kind}", lambda b=batch, k=kind: steps("2nn", b, k, False))
        for last in (False, True):
            works.add(
                f"step-cnn-{batch}:{kind}{', channels last' * last}",
                lambda b=batch, k=kind, c=last: steps("cnn", b, k, c))

if __name__ == "__main__":
    works.main()
