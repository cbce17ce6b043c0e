# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Averages updates on the server, as others do: `python fold.py numpy|flower UPDATES PARAMETERS TIMES`.

Ten different updates are made and taken in turn, so that all of them need not be in memory at once, which is kind to the
peer. Prints a line of JSON.
"""

import json
import statistics
import sys
import time

import numpy


def numpy_in_place(updates, weights):
    total = sum(weights)
    mean = updates[0] * numpy.float32(weights[0] / total)
    room = numpy.empty_like(mean)
    for update, weight in zip(updates[1:], weights[1:]):
        numpy.multiply(update, numpy.float32(weight / total), out=room)
        mean += room
    return mean


def flower(updates, weights):
    """What FedAvg does with the replies of its nodes."""
    from flwr.app import ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords

    records = {id(update): ArrayRecord([update]) for update in updates}
    replies = [
        RecordDict({"arrays": records[id(update)], "metrics": MetricRecord({"num-examples": weight})})
        for update, weight in zip(updates, weights)
    ]
    begin = time.perf_counter()
    aggregate_arrayrecords(replies, "num-examples")
    return time.perf_counter() - begin


def main():
    side, count, parameters, times = sys.argv[1], *map(int, sys.argv[2:5])
    random = numpy.random.default_rng(1)
    distinct = [random.uniform(-0.1, 0.1, parameters).astype(numpy.float32) for _ in range(10)]
    updates = [distinct[i % 10] for i in range(count)]
    weights = [i % 7 + 1 for i in range(count)]
    seconds = []
    for _ in range(times):
        if side == "flower":
            seconds.append(flower(updates, weights))
        else:
            begin = time.perf_counter()
            numpy_in_place(updates, weights)
            seconds.append(time.perf_counter() - begin)
    print(json.dumps({"work": "fold", "side": side, "unit": "s", "median": statistics.median(seconds), "count": times}))


main()
