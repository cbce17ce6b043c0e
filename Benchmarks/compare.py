#!/usr/bin/env python3
# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Runs Apus and its peers in turns, and prints a table. Called by scripts/bench."""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

import sides
import works
from table import Row, Table


class Comparison:
    def __init__(self, arguments):
        self.arguments = arguments
        self.table = Table()
        self.lines = []
        self.limits = {name: [] for name in works.MACHINE}
        self.has_data = sides.has_mnist()
        if not self.has_data:
            self.table.note(
                "MNIST is not installed, so only what needs no data is measured: "
                "`apus data show mnist` tells where to get it, and APUS_DATA where it is.")
        self.offers = {}
        for peer in sides.peers(arguments.peers):
            names = peer.works()
            if peer.problem:
                self.table.note(f"{peer.name} is left out: {peer.problem}")
            for name in names:
                self.offers.setdefault(name.partition(":")[0], []).append((peer, name))

    def wants(self, name):
        only = self.arguments.only
        if not self.has_data and not name.startswith(("participants", "sum")):
            return False
        return not only or any(name.startswith(word) for word in only.split(","))

    def ask(self, side, name, seconds):
        line = side.ask(name, seconds * self.arguments.scale)
        self.lines.append({"side": side.name, "work": name} | line)
        if "error" in line:
            self.table.note(f"{side.name}, {name}: {line['error'].splitlines()[0]}")
            return None
        return line

    def machine(self, side):
        for name in works.MACHINE:
            if line := self.ask(side, name, 0.3):
                self.limits[name].append(line["also"].get("gflops") or line["also"]["gbps"])

    def limit(self, name):
        return statistics.median(self.limits[name]) if self.limits[name] else None

    def turns(self, work, side):
        """Turns of Apus and all variants of all peers: after the first, only of the fast ones."""
        ours = []
        # By peer and variant.
        theirs = {
            (peer.name, name): (peer, []) for peer, name in self.offers.get(work.name, [])}
        kept = list(theirs)
        for turn in range(min(work.turns or self.arguments.turns, self.arguments.turns)):
            if work.one_core and (line := self.ask(side, "product-own", 0.2)):
                self.limits["product-own"].append(line["also"]["gflops"])
            if line := self.ask(side, work.name, work.seconds):
                ours.append(line)
            for key in list(kept):
                peer, answers = theirs[key]
                if line := self.ask(peer, key[1], work.seconds):
                    answers.append(line)
                else:
                    kept.remove(key)
            if turn == 0:
                kept = self.near_the_best(kept, theirs)
        for peer, _ in theirs.values():
            peer.stop()
        return ours, theirs

    @staticmethod
    def near_the_best(kept, theirs):
        best = {}
        for peer, name in kept:
            first = theirs[peer, name][1][0]["median"]
            best[peer] = min(best.get(peer, first), first)
        return [key for key in kept if theirs[key][1][0]["median"] <= 1.4 * best[key[0]]]

    def compare(self, work, side, share):
        ours, theirs = self.turns(work, side)
        if not ours:
            return
        time = statistics.median(line["median"] for line in ours)
        # Of each peer, the variant with the best median of those that were kept to the end.
        best = {}
        most = max((len(answers) for _, answers in theirs.values()), default=0)
        for (peer, name), (_, answers) in theirs.items():
            if answers and len(answers) == most:
                median = statistics.median(line["median"] for line in answers)
                if peer not in best or median < best[peer][0]:
                    best[peer] = (median, name.partition(":")[2], answers)
        fastest = min(best, key=lambda peer: best[peer][0], default=None)
        for peer, (median, variant, answers) in best.items():
            ratio = statistics.median(b["median"] / a["median"] for a, b in zip(ours, answers))
            target = work.targets.get(peer) or (peer == fastest and work.targets.get("*")) or None
            self.table.add(Row(
                work.title, time, f"{peer}, {variant}", median, ratio, target, share(time, ours)))
        if not best:
            wanted = ", ".join(f">= {t}x {'the fastest' if n == '*' else n}"
                               for n, t in work.targets.items())
            self.table.add(Row(work.title, time, limit=wanted, share=share(time, ours)))

    def steps(self, side):
        for work in works.STEPS:
            if self.wants(work.name):
                def share(_, ours, work=work):
                    gflops = statistics.median(line["also"]["gflops"] for line in ours)
                    least = works.LEAST_GFLOPS.get(work.name)
                    told = f" (>= {least})" if least else ""
                    return (f"{gflops:.0f} GFLOP/s{told}, "
                            f"{gflops / self.limit('product-own'):.0%} of a 1024^3 product")
                self.compare(work, side, share)

    def rounds(self, side):
        for work in works.ROUNDS:
            if self.wants(work.name):
                def share(time, _, work=work):
                    product = self.limit("product-own")
                    if not product:
                        return ""
                    arithmetic = works.ROUND_OPERATIONS[work.name] / (2e9 * product)
                    return f"{arithmetic / time:.0%} of two 1024^3 products"
                self.compare(work, side, share)

    def start(self, side):
        work = works.START
        if not self.wants(work.name):
            return
        # The variant of a peer that needs least; it may have others.
        peers = [offer for offer in self.offers.get("round-2nn", [])
                 if self.arguments.all or offer[1].partition(":")[2] in ("one process", "jit")
                 or offer[0].name == "Flower"]
        ours, theirs = [], {(peer.name, name): [] for peer, name in peers}
        for _ in range(min(work.turns, self.arguments.turns)):
            if line := self.ask(side, work.name, 0):
                ours.append(line)
            for peer, name in peers:
                line = sides.start(peer, name)
                self.lines.append({"side": peer.name, "work": work.name} | line)
                if "error" not in line:
                    theirs[peer.name, name].append(line)
                else:
                    self.table.note(f"{peer.name}, {work.name}: {line['error']}")
        if not ours:
            return
        for title, value, unit, limit in (
            (work.title, lambda line: line["median"], "s", work.limits["median"]),
            ("peak memory, 2NN, data included", lambda line: line["also"]["peakMemory"], "B",
             work.limits["peakMemory"]),
        ):
            mine = statistics.median(map(value, ours))
            told = self.table.quantity(limit, unit)
            self.table.add(Row(title, mine, limit=f"<= {told}", met=mine <= limit, unit=unit))
            for (peer, name), answers in theirs.items():
                if answers:
                    median = statistics.median(map(value, answers))
                    self.table.add(Row(
                        title, mine, f"{peer}, {name.partition(':')[2]}", median, median / mine,
                        unit=unit))

    def alone(self, side):
        for work in works.ALONE:
            if not self.wants(work.name):
                continue
            turns = range(min(work.turns, self.arguments.turns))
            ours = [line for _ in turns if (line := self.ask(side, work.name, 0))]
            if ours:
                time = statistics.median(line["median"] for line in ours)
                memory = statistics.median(line["also"]["peakMemory"] for line in ours)
                limit = work.limits.get("median")
                self.table.add(Row(
                    work.title, time, work.published, limit=f"<= {limit} s" if limit else "",
                    met=time <= limit if limit else None,
                    share=f"peak memory {self.table.quantity(memory, 'B')}"))

    def sums(self, side):
        for name, title in works.SUMS:
            if not self.wants(name):
                continue
            answers = {"singly": [], "folded": [], "axpy": []}
            for _ in range(self.arguments.turns):
                for method, lines in answers.items():
                    if line := self.ask(side, f"{name}-{method}", works.SUM_SECONDS):
                        lines.append(line)
            if not all(answers.values()):
                continue
            rate = {m: statistics.median(l["also"]["gbps"] for l in ls)
                    for m, ls in answers.items()}
            time = {m: statistics.median(l["median"] for l in ls) for m, ls in answers.items()}
            triad = self.limit("triad")
            share = rate["singly"] / rate["axpy"]
            beside = f", {rate['singly'] / triad:.0%} of the triad" if triad else ""
            self.table.add(Row(
                f"{title}, singly", time["singly"], "axpy of floats", time["axpy"],
                limit=f">= {works.LEAST_SHARE:.0%} of axpy", met=share >= works.LEAST_SHARE,
                share=f"{rate['singly']:.0f} GB/s, {share:.0%} of axpy" + beside))
            beside = f", {rate['folded'] / triad:.0%} of the triad" if triad else ""
            folding = statistics.median(
                a["median"] / b["median"] for a, b in zip(answers["singly"], answers["folded"]))
            self.table.add(Row(
                f"{title}, 8 folded", time["folded"], "ours, singly", time["singly"], folding,
                works.LEAST_FOLDING,
                f"{rate['folded']:.0f} GB/s, {rate['folded'] / rate['axpy']:.0%} of axpy" + beside))

    def run(self):
        alone, together = sides.apus(one_core=True), sides.apus(one_core=False)
        self.machine(alone)
        self.start(together)
        self.steps(alone)
        self.rounds(together)
        together.stop()
        # A process whose parent has used much memory would be told to have used it.
        together = sides.apus(one_core=False)
        self.alone(together)
        self.sums(alone)
        self.machine(alone)
        for side in (alone, together):
            side.stop()


def machine(folder):
    with open("/proc/cpuinfo") as file:
        lines = (line.partition(":") for line in file.read().split("\n\n")[0].splitlines())
        core = {key.strip(): value.strip() for key, _, value in lines}
    model = f"{core.get('model name', platform.machine())}"
    if "cpu family" in core:
        model += f" (family {core['cpu family']}, model {core.get('model')})"
    versions = {"python": platform.python_version()}
    if folder and os.path.exists(f"{folder}/bin/python"):
        code = (
            "import importlib.metadata as m, json\n"
            "print(json.dumps({d.name: d.version for d in m.distributions() if d.name in "
            "('torch', 'jax', 'numpy', 'flwr', 'ray', 'pfl', 'fedjax')}))")
        answer = subprocess.run([f"{folder}/bin/python", "-c", code], capture_output=True, text=True)
        versions |= json.loads(answer.stdout or "{}")
    return {
        "processor": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
        "load": os.getloadavg()[0], "versions": versions,
        "commit": subprocess.run(
            ["git", "-C", str(sides.ROOT), "describe", "--always", "--dirty"],
            capture_output=True, text=True).stdout.strip(),
    }


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="how often each side is asked (5)")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual time of a turn")
    parser.add_argument("--quick", action="store_true", help="one short turn each: noise")
    parser.add_argument("--only", metavar="PREFIX,...", help="only works that begin so: step-2nn,sum")
    parser.add_argument("--all", action="store_true", help="start and memory of every peer's variant")
    parser.add_argument("--save", action="store_true", help="write Benchmarks/results/DATE.json")
    parser.add_argument("--peers", metavar="DIR", default=os.environ.get("APUS_PEERS"),
                        help="the peers' virtual environment ($APUS_PEERS)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.turns, arguments.scale = 1, 0.2
    about = machine(arguments.peers)
    comparison = Comparison(arguments)
    if not comparison.offers:
        comparison.table.note(
            "There are no peers. scripts/bench --install-peers DIR installs them "
            "(1.5 GB); then say --peers DIR or set APUS_PEERS.")
    if about["load"] > 0.5:
        comparison.table.note(
            f"The machine is not quiet: its load was {about['load']:.1f} at the start.")
    comparison.run()
    rates = {name: comparison.limit(name) for name in works.MACHINE}
    print(comparison.table.text(about, rates))
    if arguments.save:
        file = sides.ROOT / "Benchmarks" / "results" / f"{datetime.date.today()}.json"
        file.parent.mkdir(exist_ok=True)
        content = {
            "date": str(datetime.date.today()), "machine": about, "limits": rates,
            "table": comparison.table.encoded(), "notes": comparison.table.notes,
            "measurements": comparison.lines,
        }
        file.write_text(json.dumps(content, indent=1) + "\n")
        print(f"\nsaved to {file.relative_to(sides.ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
