# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""How Apus and its peers are run and asked."""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "Benchmarks" / "peers"


def environment():
    """The process's, with the data's place said."""
    env = dict(os.environ)
    if not env.get("APUS_DATA"):
        cache = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        env["APUS_DATA"] = f"{cache}/apus/data"
    return env


def has_mnist():
    folders = [*environment()["APUS_DATA"].split(":"), "/usr/share/datasets"]
    return any(Path(folder, "mnist").is_dir() for folder in folders if folder)


class Side:
    """A program that measures works: apus-bench, or a script of a peer."""

    def __init__(self, name, command, *, one_core=False, serves=True):
        self.name = name
        self.command = command
        self.one_core = one_core
        self.serves = serves
        self.process = None
        self.problem = None

    def works(self):
        """What it can measure; nothing where it cannot run, and then `problem` says why."""
        answer = subprocess.run(
            [*self.command, "--list"], env=environment(), capture_output=True, text=True)
        if answer.returncode:
            self.problem = (answer.stderr.strip().splitlines() or ["it fails"])[-1]
        return answer.stdout.split("\n")[:-1] if not answer.returncode else []

    def ask(self, work, seconds):
        """One line of figures, as a dictionary."""
        if not self.serves:
            answer = subprocess.run(
                [*self.command, "--seconds", str(seconds), work], env=environment(),
                capture_output=True, text=True)
            lines = [line for line in answer.stdout.splitlines() if line.startswith('{"work"')]
            if lines:
                return json.loads(lines[-1])
            return {"error": (answer.stderr.strip().splitlines() or ["no answer"])[-1]}
        if self.process is None:
            self.process = subprocess.Popen(
                [*self.command, "--serve"], env=environment(), text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=None if self.name == "apus" else subprocess.DEVNULL,
                preexec_fn=keep_on_one_core if self.one_core else None)
        print(f"{work} {seconds}", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.stop()
        return {"error": "it ended without an answer"}

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def keep_on_one_core():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def apus(*, one_core):
    folder = ROOT / ".build" / "release"
    command = [
        str(folder / "apus-bench"), "--apus", str(folder / "apus"),
        "--recipes", str(ROOT / "Benchmarks" / "recipes"),
    ]
    return Side("apus", command, one_core=one_core)


def peers(folder):
    """Every peer of the virtual environment; none where there is none."""
    python = Path(folder or "-") / "bin" / "python"
    if not python.exists():
        return []
    scripts = {
        "torch_steps": ("PyTorch", True), "jax_steps": ("JAX", True),
        "torch_rounds": ("PyTorch", True), "jax_rounds": ("JAX", True),
        "fedjax_rounds": ("FedJAX", True), "pfl_rounds": ("pfl", False),
        "flower_rounds": ("Flower", False),
    }
    return [
        Side(name, [str(python), str(PEERS / f"{script}.py")], serves=serves)
        for script, (name, serves) in scripts.items()
    ]


def start(side, work):
    """Seconds to round 1 and peak memory of a process with five rounds, from outside.

    The memory of several processes is the largest sum of their proportional shares that was seen, looked
    at fifty times a second; of one process, what the kernel kept of it.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*side.command, "--simulate", work], env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    watch = Watch(process.pid)
    seconds = None
    for line in process.stdout:
        if seconds is None and line.startswith('{"event"'):
            seconds = time.perf_counter() - begin
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    watch.stop()
    if seconds is None or status:
        return {"error": f"its simulation ended with status {status >> 8}"}
    peak = max(watch.peak, usage.ru_maxrss * 1024) if watch.most == 1 else watch.peak
    return {"median": seconds, "unit": "s", "also": {"peakMemory": peak, "processes": watch.most}}


class Watch(threading.Thread):
    """Looks at the memory of a process and its descendants."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root = root
        self.peak = 0
        self.most = 1
        self.is_over = threading.Event()
        self.start()

    def stop(self):
        self.is_over.set()
        self.join()

    def run(self):
        while not self.is_over.wait(0.02):
            family = descendants(self.root)
            self.most = max(self.most, len(family))
            if len(family) > 1:
                self.peak = max(self.peak, sum(map(proportional_memory, family)))


def descendants(root):
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = Path("/proc", name, "stat").read_text()
                parents[int(name)] = int(text.rpartition(")")[2].split()[1])
            except OSError:
                pass
    family = {root}
    while more := {p for p, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def proportional_memory(process):
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
