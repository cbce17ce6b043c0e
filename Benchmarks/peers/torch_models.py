# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""The models of McMahan et al. (AISTATS 2017) in PyTorch."""

import torch
from torch import nn


def model(name):
    torch.manual_seed(1)
    if name == "2nn":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(),
            nn.Linear(200, 10),
        )
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 10),
    )


def optimizer(net, kind, rate):
    """kind: what sums gradients into parameters: plain (one by one), foreach, fused."""
    return torch.optim.SGD(
        net.parameters(), lr=rate, foreach=kind == "foreach", fused=kind == "fused"
    )


def step(net, sgd, images, labels):
    sgd.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(net(images), labels).backward()
    sgd.step()
