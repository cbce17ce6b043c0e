# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Federated averaging as a plain PyTorch loop: 10 of 100 clients x 600 images, E 1, B 10.

In one process, or in two that train five clients each; one thread a process. Models are passed as one
flat vector in shared memory. Images stay bytes, which takes less memory, until their client trains; the
CNN's are in the channels-last format, which is faster.
"""

import peer

peer.use_one_thread()

import random  # noqa: E402

import torch  # noqa: E402
import torch.multiprocessing  # noqa: E402

from torch_models import model, optimizer, step  # noqa: E402

torch.set_num_threads(1)


class Trainer:
    def __init__(self, name, data):
        self.images, self.labels, self.clients = data
        self.net = model(name)
        self.format = torch.contiguous_format
        if name == "cnn":
            self.format = torch.channels_last
            self.net = self.net.to(memory_format=self.format)
        self.sgd = optimizer(self.net, "foreach", 0.05)

    def start(self):
        return torch.cat([p.detach().reshape(-1) for p in self.net.parameters()])

    def add_updates(self, state, clients, total):
        """Trains clients from the same state, and adds up what comes of it."""
        for client in clients:
            with torch.no_grad():
                for p, part in zip(self.net.parameters(), self.parts(state)):
                    p.copy_(part)
            rows = self.clients[client][torch.randperm(len(self.clients[client]))]
            images = self.images[rows].float().mul_(1 / 255).contiguous(memory_format=self.format)
            for x, y in zip(images.split(10), self.labels[rows].split(10)):
                step(self.net, self.sgd, x, y)
            with torch.no_grad():
                for p, part in zip(self.net.parameters(), self.parts(total)):
                    part.add_(p)

    def parts(self, vector):
        shapes = [p.shape for p in self.net.parameters()]
        return [
            part.view(shape)
            for part, shape in zip(vector.split([s.numel() for s in shapes]), shapes)
        ]


def load():
    images, labels = peer.mnist(as_bytes=True)
    return (
        torch.from_numpy(images)[:, None],
        torch.from_numpy(labels),
        [torch.tensor(rows) for rows in peer.clients()],
    )


def in_one_process(name):
    trainer = Trainer(name, load())
    state = trainer.start().clone()
    total = torch.zeros_like(state)

    def one_round():
        total.zero_()
        trainer.add_updates(state, random.sample(range(100), 10), total)
        state.copy_(total / 10)

    return one_round


def in_two_processes(name):
    data = load()
    state = Trainer(name, data).start().clone().share_memory_()
    totals = [torch.zeros_like(state).share_memory_() for _ in range(2)]
    context = torch.multiprocessing.get_context("fork")

    def serve(pipe, total):
        torch.set_num_threads(1)
        trainer = Trainer(name, data)
        pipe.send("ready")
        while True:
            cohort = pipe.recv()
            total.zero_()
            trainer.add_updates(state, cohort, total)
            pipe.send("done")

    pipes = []
    for total in totals:
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, total), daemon=True).start()
        ours.recv()
        pipes.append(ours)

    def one_round():
        cohort = random.sample(range(100), 10)
        for place, pipe in enumerate(pipes):
            pipe.send(cohort[place::2])
        for pipe in pipes:
            pipe.recv()
        state.copy_((totals[0] + totals[1]) / 10)

    return one_round


works = peer.Works("PyTorch")
for name in ("2nn", "cnn"):
    works.add_rounds(f"round-{name}:one process", lambda n=name: in_one_process(n))
    works.add_rounds(f"round-{name}:two processes", lambda n=name: in_two_processes(n))

if __name__ == "__main__":
    works.main()
