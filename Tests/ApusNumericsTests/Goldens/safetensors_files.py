# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Makes parameters.safetensors and halves.safetensors with the reference library.

    python3 safetensors_files.py        (made with safetensors 0.8.0 and torch 2.13.0)
"""

import torch
from safetensors.torch import save_file

weight = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 3
save_file(
    {"dense.weight": weight, "dense.bias": torch.tensor([-0.0, 1e-45, 3.4028235e38]),
     "scale": torch.tensor(2.5), "none": torch.zeros(0, 4)},
    "parameters.safetensors", metadata={"format": "pt", "quote": 'a "b" \\ \n ü 🐦'})
values = [0.0, -1.5, 65504.0, 6e-8, float("inf"), 0.1]
save_file(
    {"half": torch.tensor(values, dtype=torch.float16),
     "brain": torch.tensor(values, dtype=torch.bfloat16),
     "long": torch.tensor([1, -1]), "double": torch.tensor([0.1], dtype=torch.float64),
     "flags": torch.tensor([True, False, True])},
    "halves.safetensors")
