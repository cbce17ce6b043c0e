# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""The two-layer network of the FedAvg paper (`mcmahan-2nn`) in PyTorch: what apus_client.py calls.

The examples are a folder that `apus data split --export` wrote.
A dense layer's weight has the shape inputs x outputs in Apus, outputs x inputs in PyTorch.
"""

import os

import numpy as np
import torch
from apus_client import read_examples

IMAGES, CLASSES = read_examples(os.environ["APUS_EXAMPLES"])
INPUTS = torch.from_numpy(IMAGES).flatten(1)
TARGETS = torch.from_numpy(CLASSES.astype(np.int64))


def examples():
    return IMAGES.shape[1:], len(INPUTS)


def network(parameters):
    """Linear layers with ReLU between them, one for each pair of weight and bias, in the plan's order."""
    layers = []
    for name, weight in parameters.items():
        if name.endswith(".weight"):
            linear = torch.nn.Linear(*weight.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight.T.copy()))
                linear.bias.copy_(torch.from_numpy(parameters[name.removesuffix("weight") + "bias"]))
            layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def train(work):
    settings = work.plan.algorithm.fedavg
    model = network(work.parameters)
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.learning_rate)
    torch.manual_seed(work.round)
    losses = []
    for _ in range(settings.local_epochs):
        for rows in torch.randperm(len(INPUTS)).split(settings.batch_size or len(INPUTS)):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(INPUTS[rows]), TARGETS[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    numbers = [p.detach().numpy() for p in model.parameters()]  # weight, bias, weight, bias, ...
    weights, biases = iter(numbers[0::2]), iter(numbers[1::2])
    after = {name: next(weights).T if name.endswith(".weight") else next(biases) for name in work.parameters}
    return after, len(INPUTS), {"training_loss": float(np.mean(losses)), "step_count": len(losses)}
