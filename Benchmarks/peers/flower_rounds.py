# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Federated averaging in Flower's simulation: 10 of 100 clients x 600 images, E 1, B 10.

As its documentation advises for a CPU: one core for a client, so two actors on two cores; the message
API; the images loaded once in each actor, as bytes. A round is the time between two calls of the server's
evaluation hook, which evaluates nothing.
"""

import json
import os
import time

import peer

peer.use_one_thread()
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
os.environ.setdefault("RAY_DEDUP_LOGS", "0")
os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))

import functools  # noqa: E402
import logging  # noqa: E402

import torch  # noqa: E402
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict  # noqa: E402
from flwr.clientapp import ClientApp  # noqa: E402
from flwr.serverapp import ServerApp  # noqa: E402
from flwr.serverapp.strategy import FedAvg  # noqa: E402
from flwr.simulation import run_simulation  # noqa: E402

from torch_models import model, optimizer, step  # noqa: E402

logging.getLogger("flwr").setLevel(logging.ERROR)


@functools.cache
def loaded(name):
    """Once in every actor."""
    torch.set_num_threads(1)
    images, labels = peer.mnist(as_bytes=True)
    form = torch.channels_last if name == "cnn" else torch.contiguous_format
    net = model(name).to(memory_format=form)
    return torch.from_numpy(images)[:, None], torch.from_numpy(labels), peer.clients(), net, form


def client_app(name):
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context):
        images, labels, clients, net, form = loaded(name)
        net.load_state_dict(message.content["arrays"].to_torch_state_dict())
        sgd = optimizer(net, "foreach", 0.05)
        rows = clients[context.node_config["partition-id"]]
        rows = torch.tensor(rows)[torch.randperm(len(rows))]
        x = images[rows].float().mul_(1 / 255).contiguous(memory_format=form)
        for batch in zip(x.split(10), labels[rows].split(10)):
            step(net, sgd, *batch)
        content = {
            "arrays": ArrayRecord(net.state_dict()),
            "metrics": MetricRecord({"num-examples": len(rows)}),
        }
        return Message(content=RecordDict(content), reply_to=message)

    return app


def simulate(name, rounds):
    """The moments at which rounds 0, 1, ... ended; a message at the first."""
    moments = []
    server = ServerApp()

    @server.main()
    def main(grid, context):
        def note(number, arrays):
            if number == 0:
                print(json.dumps({"event": "round 1"}), flush=True)
            moments.append(time.perf_counter())
            return None

        strategy = FedAvg(
            fraction_train=0.1, fraction_evaluate=0.0, min_train_nodes=10,
            min_available_nodes=100)
        strategy.start(
            grid=grid, initial_arrays=ArrayRecord(model(name).state_dict()), num_rounds=rounds,
            evaluate_fn=note)

    run_simulation(
        server_app=server, client_app=client_app(name), num_supernodes=100,
        backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    return moments


if __name__ == "__main__":
    # Actors import what they run by its name, which is not __main__ there.
    import flower_rounds

    peer.WholeRuns("Flower", "simulation", flower_rounds.simulate).main()
