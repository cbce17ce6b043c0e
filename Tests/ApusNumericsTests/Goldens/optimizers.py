# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Makes optimizers.json: where PyTorch's optimizers take 19 parameters in ten steps.

    python3 optimizers.py > optimizers.json        (made with torch 2.13.0)
"""

import json

import torch

RATE = 0.05
CASES = {
    "sgd": ("sgd", {}),
    "sgd decayed": ("sgd", {"weightDecay": 0.1}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "momentum decayed": ("sgd", {"momentum": 0.9, "weightDecay": 0.1}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True, "weightDecay": 0.01}),
    "adam": ("adam", {}),
    "adam decayed": ("adam", {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-3, "weightDecay": 0.1}),
    "adamw": ("adamw", {}),
    "adamw decayed": ("adamw", {"beta1": 0.8, "beta2": 0.99, "weightDecay": 0.2}),
}


def optimizer(name, choice, x):
    if name == "sgd":
        return torch.optim.SGD(
            [x], RATE, momentum=choice.get("momentum", 0), nesterov=choice.get("nesterov", False),
            weight_decay=choice.get("weightDecay", 0))
    kind, decay = (torch.optim.Adam, 0) if name == "adam" else (torch.optim.AdamW, 0.01)
    return kind(
        [x], RATE, betas=(choice.get("beta1", 0.9), choice.get("beta2", 0.999)),
        eps=choice.get("epsilon", 1e-8), weight_decay=choice.get("weightDecay", decay))


torch.manual_seed(1)
start = torch.randn(19)
gradients = torch.randn(10, 19)
cases = []
for title, (name, choice) in CASES.items():
    x = start.clone().requires_grad_()
    steps = optimizer(name, choice, x)
    path = []
    for gradient in gradients:
        x.grad = gradient.clone()
        steps.step()
        path.append(x.tolist())
    cases.append({
        "title": title, "optimizer": {name: choice}, "first": path[0], "last": path[-1]})
print(json.dumps({
    "rate": RATE, "start": start.tolist(), "gradients": gradients.tolist(), "cases": cases}))
