# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""What is compared, and what it ought to come to."""

from dataclasses import dataclass, field


@dataclass
class Work:
    name: str
    title: str
    # Seconds of each turn.
    seconds: float
    # At least so many times as fast; "*" is the fastest of all peers.
    targets: dict = field(default_factory=dict)
    # At most so much: of `median` in seconds, of others as they are.
    limits: dict = field(default_factory=dict)
    # What others published, where they are not measured here.
    published: str = ""
    # Turns at most; None for as many as asked for.
    turns: int | None = None
    one_core: bool = False


STEPS = [
    Work("step-2nn-10", "SGD step, 2NN, batch 10", 0.5, {"PyTorch": 4, "JAX": 1.5}, one_core=True),
    Work("step-2nn-50", "SGD step, 2NN, batch 50", 0.5, {"PyTorch": 1.7, "JAX": 1.15}, one_core=True),
    Work("step-cnn-10", "SGD step, CNN, batch 10", 1.0, {"PyTorch": 1.65}, one_core=True),
    Work("step-cnn-50", "SGD step, CNN, batch 50", 1.5, {"PyTorch": 1.2}, one_core=True),
]
# Least GFLOP/s, padding not counted.
LEAST_GFLOPS = {"step-cnn-10": 100, "step-cnn-50": 100}

ROUNDS = [
    Work("round-2nn", "round of 10 x 600, 2NN", 1.5, {"*": 4, "Flower": 12}),
    Work("round-cnn", "round of 10 x 600, CNN", 8.0, {"*": 1.9}, turns=3),
]

START = Work(
    "start-2nn", "start to round 1, 2NN", 0, limits={"median": 0.5, "peakMemory": 100e6}, turns=5)

ALONE = [
    Work(
        "flute", "100 rounds of 10 of 1,000, logistic", 0, limits={"median": 1},
        published="FLUTE 200 s, Flower 1814 s", turns=5),
    Work("participants-100000", "a round of 100,000 clients", 0, turns=1),
    Work(
        "participants-1000000", "a round of 1,000,000 clients", 0, limits={"median": 60},
        published="nobody", turns=1),
]

# Name, title: each is added singly, folded, and as floats (axpy), in turns.
SUMS = [("sum-1.66m", "exact sum, 1.66 M"), ("sum-22m", "exact sum, 22 M")]
SUM_SECONDS = 0.5
LEAST_SHARE = 0.8
LEAST_FOLDING = 1.6

MACHINE = ["fma", "product-own", "product-openblas", "triad", "axpy"]

# Multiply-adds and so on of a round: 600 examples of 10 clients.
ROUND_OPERATIONS = {"round-2nn": 6000 * 879_200, "round-cnn": 6000 * 62_294_528}
