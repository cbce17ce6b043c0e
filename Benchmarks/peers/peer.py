# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""What every peer's script shares: the data, the clock, and how it is asked.

A script measures works, each in one or more variants:

    script.py                             all of them, one line of JSON each
    script.py step-2nn-10:plain ...       these
    script.py --seconds 0.5 ...           for so long each
    script.py --list                      their names
    script.py --serve                     answer each line of standard input, "WORK:VARIANT SECONDS"
    script.py --simulate round-2nn:...    a process that is measured from outside: five rounds, and the
                                          end; {"event": "round 1"} is printed when round 1 begins

A served script sleeps between questions, so that it can take turns with Apus on the same cores.
"""

import gzip
import json
import os
import statistics
import sys
import time


def use_one_core():
    """For what is compared on one thread; before the libraries are imported."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    use_one_thread()


def use_one_thread():
    """One thread in the library's products; clients are trained side by side instead."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def mnist(as_bytes=False):
    """60,000 images of 28 x 28 as float32 in 0...1, or as bytes, and their labels."""
    import numpy

    for folder in os.environ.get("APUS_DATA", "").split(":"):
        path = os.path.join(folder, "mnist")
        if os.path.isdir(path):
            images = numpy.empty(16 + 60_000 * 784, numpy.uint8)
            with gzip.open(f"{path}/train-images-idx3-ubyte.gz") as file:
                file.readinto(images)
            with gzip.open(f"{path}/train-labels-idx1-ubyte.gz") as file:
                labels = numpy.frombuffer(file.read(), numpy.uint8, offset=8)
            images = images[16:].reshape(-1, 28, 28)
            if not as_bytes:
                images = numpy.multiply(images, numpy.float32(1 / 255), dtype=numpy.float32)
            return images, labels.astype(numpy.int64)
    raise FileNotFoundError("no mnist/ in a directory of $APUS_DATA")


def clients(count=100):
    """The rows of each client; the same number for all."""
    import numpy

    return numpy.random.default_rng(1).permutation(60_000).reshape(count, -1)


def operations(model, batch):
    """Of a training step, without padding and without the gradient of the images."""
    if model == "2nn":
        return batch * 2 * (3 * (784 * 200 + 200 * 200 + 200 * 10) - 784 * 200)
    first, second = 134**2 * 32, 64**2 * 32 * 64
    return batch * 2 * (3 * (first + second + 3136 * 512 + 512 * 10) - first)


def samples(seconds, work, warm_ups=3, least=3):
    """The seconds of each call, as many as there is time for."""
    for _ in range(warm_ups):
        work()
    result = []
    start = time.perf_counter()
    while len(result) < least or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        work()
        result.append(time.perf_counter() - before)
    return result


class Works:
    """Works of one peer by "name:variant"; each is made when it is first asked for."""

    def __init__(self, side):
        self.side = side
        self.makers = {}
        self.simulations = {}
        self.made = {}

    def add(self, name, maker):
        """maker() prepares the work and returns a function of seconds that returns samples."""
        self.makers[name] = maker

    def add_rounds(self, name, maker):
        """maker() prepares a simulation and returns a function that runs one round."""

        def made():
            one = maker()
            one()  # the first round compiles, and is no sample
            return lambda seconds: samples(seconds, one, warm_ups=0, least=2)

        self.makers[name] = made
        self.simulations[name] = maker

    def simulate(self, name):
        one = self.simulations[name]()
        print(json.dumps({"event": "round 1"}), flush=True)
        for _ in range(5):
            one()

    def run(self, name, seconds):
        work, _, variant = name.partition(":")
        line = {"work": work, "side": self.side, "variant": variant}
        try:
            if name not in self.made:
                self.made[name] = self.makers[name]()
            result = self.made[name](seconds)
            line |= {"unit": "s", "median": statistics.median(result), "count": len(result)}
            if work.startswith("step-"):
                _, model, batch = work.split("-")
                gflops = operations(model, int(batch)) / line["median"] * 1e-9
                line["also"] = {"gflops": gflops}
        except Exception as error:  # one work that fails must not hide the others
            line["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(line), flush=True)

    def main(self):
        words = sys.argv[1:]
        seconds = 1.0
        if "--seconds" in words:
            place = words.index("--seconds")
            seconds = float(words[place + 1])
            del words[place : place + 2]
        if words == ["--list"]:
            print("\n".join(self.makers))
        elif words[:1] == ["--simulate"]:
            self.simulate(words[1])
        elif words == ["--serve"]:
            for line in sys.stdin:
                name, _, given = line.strip().rpartition(" ")
                if name:
                    self.run(name, float(given))
        else:
            for name in words or self.makers:
                self.run(name, seconds)



class WholeRuns:
    """Rounds of a framework with a loop of its own: each question is answered by a new process."""

    def __init__(self, side, variant, simulate):
        """simulate(model, rounds) runs, and returns the moments before round 1 and after each."""
        self.side = side
        self.variant = variant
        self.simulate = simulate

    def main(self):
        words = sys.argv[1:]
        seconds = 1.0
        if "--seconds" in words:
            place = words.index("--seconds")
            seconds = float(words[place + 1])
            del words[place : place + 2]
        if words == ["--list"]:
            print(f"round-2nn:{self.variant}\nround-cnn:{self.variant}")
        elif words[:1] == ["--simulate"]:
            self.simulate(words[1].split(":")[0].removeprefix("round-"), 5)
        else:
            for name in words or ["round-2nn", "round-cnn"]:
                self.measure(name.split(":")[0].removeprefix("round-"), seconds)

    def measure(self, model, seconds):
        guess = 4 if model == "cnn" else 0.3
        moments = self.simulate(model, max(4, int(seconds / guess) + 2))
        times = [after - before for before, after in zip(moments[1:], moments[2:])]
        line = {
            "work": f"round-{model}", "side": self.side, "variant": self.variant, "unit": "s",
            "median": statistics.median(times), "count": len(times),
            "also": {"first": moments[1] - moments[0]},
        }
        print(json.dumps(line), flush=True)
