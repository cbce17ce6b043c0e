# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Logistic regression in NumPy, for a plan of the model `logistic`: what apus_client.py calls.

The examples are a folder that `apus data split --export` wrote.
"""

import os

import numpy as np
from apus_client import read_examples

INPUTS, TARGETS = read_examples(os.environ["APUS_EXAMPLES"])


def examples():
    return INPUTS.shape[1:], len(INPUTS)


def gradient(weight, bias, x, t):
    scores = x @ weight + bias
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(t)), t] + 1e-30).mean()
    p[np.arange(len(t)), t] -= 1
    p /= len(t)
    return x.T @ p, p.sum(axis=0), loss


def train(work):
    kind = work.plan.algorithm.WhichOneof("kind")
    settings = getattr(work.plan.algorithm, kind)
    (weight_name, weight), (bias_name, bias) = sorted(work.parameters.items(), key=lambda item: -item[1].ndim)
    x = INPUTS.reshape(len(INPUTS), -1)
    if kind == "fedsgd":
        dw, db, loss = gradient(weight, bias, x, TARGETS)
        return {weight_name: dw, bias_name: db}, len(x), {"training_loss": float(loss), "step_count": 1}
    start, losses = {weight_name: weight.copy(), bias_name: bias.copy()}, []
    random = np.random.default_rng(work.round)
    size = settings.batch_size or len(x)
    for _ in range(settings.local_epochs):
        order = random.permutation(len(x))
        for first in range(0, len(x), size):
            rows = order[first:first + size]
            dw, db, loss = gradient(weight, bias, x[rows], TARGETS[rows])
            mu, rate = settings.proximal_strength, settings.learning_rate
            weight -= rate * (dw + mu * (weight - start[weight_name]))
            bias -= rate * (db + mu * (bias - start[bias_name]))
            losses.append(float(loss))
    metrics = {"training_loss": float(np.mean(losses)), "step_count": len(losses)}
    return {weight_name: weight, bias_name: bias}, len(x), metrics
