# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Federated averaging in pfl: 10 of 100 clients x 600 images, E 1, B 10, in one process.

As in its benchmarks: the simulated backend, PyTorch models, all data as tensors beforehand. Nothing is
evaluated; a round is the time between two calls of its callback.
"""

import json
import statistics
import sys
import time

import peer

# With the products of its batches on two threads it is slower.
peer.use_one_thread()

import torch  # noqa: E402
from pfl.aggregate.simulate import SimulatedBackend  # noqa: E402
from pfl.algorithm.base import NNAlgorithmParams  # noqa: E402
from pfl.algorithm.federated_averaging import FederatedAveraging  # noqa: E402
from pfl.callback.base import TrainingProcessCallback  # noqa: E402
from pfl.data.federated_dataset import FederatedDataset  # noqa: E402
from pfl.data.sampling import get_user_sampler  # noqa: E402
from pfl.hyperparam import NNTrainHyperParams  # noqa: E402
from pfl.metrics import Metrics  # noqa: E402
from pfl.model.pytorch import PyTorchModel  # noqa: E402

from torch_models import model  # noqa: E402

torch.set_num_threads(1)


class Moments(TrainingProcessCallback):
    def __init__(self):
        self.moments = []

    def on_train_begin(self, *, model):
        print(json.dumps({"event": "round 1"}), flush=True)
        self.moments.append(time.perf_counter())
        return Metrics()

    def after_central_iteration(self, aggregate_metrics, model, *, central_iteration):
        self.moments.append(time.perf_counter())
        return False, Metrics()


def simulate(name, rounds):
    images, labels = peer.mnist(as_bytes=True)
    net = model(name)
    form = torch.contiguous_format
    if name == "cnn":
        form = torch.channels_last
        net = net.to(memory_format=form)
    net.loss = lambda x, y, **_: torch.nn.functional.cross_entropy(net(x), y)
    net.metrics = lambda x, y, **_: {}
    data = {
        client: [
            torch.from_numpy(images[rows])[:, None].float().mul_(1 / 255)
            .contiguous(memory_format=form),
            torch.from_numpy(labels[rows])]
        for client, rows in enumerate(peer.clients())
    }
    del images
    federated = FederatedDataset.from_slices(data, get_user_sampler("random", list(data)))
    moments = Moments()
    FederatedAveraging().run(
        algorithm_params=NNAlgorithmParams(
            central_num_iterations=rounds, evaluation_frequency=10**6, train_cohort_size=10,
            val_cohort_size=0),
        backend=SimulatedBackend(training_data=federated, val_data=federated),
        model=PyTorchModel(
            net, torch.optim.SGD, central_optimizer=torch.optim.SGD(net.parameters(), lr=1.0)),
        model_train_params=NNTrainHyperParams(
            local_batch_size=10, local_num_epochs=1, local_learning_rate=0.05),
        model_eval_params=None,
        callbacks=[moments],
        send_metrics_to_platform=False)
    return moments.moments


peer.WholeRuns("pfl", "one process", simulate).main()
