# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""A live federation on loopback, measured: `scripts/bench --federation` builds and calls this.

Every part is a process of its own: the aggregator, each device, the coordinator's commands; TLS everywhere.
Prints a table; --save writes Benchmarks/results/federation.json. Raw TLS is measured with openssl in the same run, Flower's
average of updates where --peers says where it is.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECIPE = """{
  name: "bench", model: "%(model)s",
  data: { set: "%(set)s", split: "iid", clients: %(clients)d },
  algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
  cohort: { fraction: 1 }, rounds: %(rounds)d, evaluate: { every: %(rounds)d },
  system: { quorum: 1 }, serve: { overSelection: 1, reportTimeout: 120 },
}
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def resident(pid: int) -> int:
    """Bytes that a process has in memory now."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Hub:
    """`apus serve` with a directory of its own."""

    def __init__(self, apus: pathlib.Path, home: pathlib.Path, device: pathlib.Path | None = None):
        self.apus, self.home, self.port, self.device = apus, home, free_port(), device or apus
        self.log = open(home / "hub.log", "ab")
        self.children: list[subprocess.Popen] = []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.apus, "serve", "--data-dir", self.home / "hub", "--listen", f"127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log)

    def wait(self, limit: float = 60) -> float:
        """Seconds until it serves."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            done = subprocess.run(self.words("task", "list", "--format", "json"), capture_output=True)
            if done.returncode == 0:
                return time.monotonic() - began
            time.sleep(0.01)
        raise RuntimeError(f"not serving after {limit} s: {(self.home / 'hub.log').read_text()[-2000:]}")

    def words(self, *words) -> list:
        return [self.apus, *words, "--hub", self.home / "hub"]

    def run(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"apus {' '.join(map(str, words))}: {done.returncode}: {done.stderr}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "--format", "json"))

    def invitation(self, uses: int) -> str:
        return self.json("invite", "--uses", str(uses))["url"]

    def spawn(self, *words, name: str) -> subprocess.Popen:
        log = open(self.home / f"{name}.log", "ab")
        child = subprocess.Popen(words, stdout=log, stderr=log)
        self.children.append(child)
        return child

    def join(self, index: int, data: pathlib.Path, invitation: str | None) -> subprocess.Popen:
        words = [self.device, "join", *([invitation] if invitation else []), "--data", data,
                 "--state", self.home / f"device-{index}", "--format", "jsonl"]
        return self.spawn(*words, name=f"device-{index}")

    def wait_for_devices(self, count: int, limit: float = 60) -> None:
        began = time.monotonic()
        while time.monotonic() - began < limit:
            try:
                if sum(d["connected"] for d in self.json("device", "list")) >= count:
                    return
            except RuntimeError as error:
                # Thousands who knock at once are let in one after the other, and so are we.
                print(f"# {error}", file=sys.stderr)
            time.sleep(0.05 if count < 1000 else 1)
        raise RuntimeError(f"{count} devices are not there after {limit} s")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()
        self.kill()


def recipe(home: pathlib.Path, **values) -> pathlib.Path:
    file = home / f"{values['model']}-{values['clients']}.json5"
    file.write_text(RECIPE % values)
    return file


def shards(apus: pathlib.Path, home: pathlib.Path, data_set: str, clients: int, keep: int | None = None) -> list[pathlib.Path]:
    """Folders as devices read them; with `keep`, of so many examples each."""
    folder = home / f"data-{clients}"
    subprocess.run([apus, "data", "split", data_set, "--clients", str(clients), "--export", folder],
                   check=True, capture_output=True)
    found = sorted(folder.iterdir())
    for client in found if keep else []:
        for name in ("inputs.idx", "targets.idx"):
            data = bytearray((client / name).read_bytes())
            rank, size = data[3], {8: 1, 12: 4, 13: 4}[data[2]]
            extents = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(rank)]
            row = size
            for extent in extents[1:]:
                row *= extent
            data[4:8] = keep.to_bytes(4, "big")
            (client / name).write_bytes(data[:4 + 4 * rank + keep * row])
    return found


class Bench:
    def __init__(self, arguments):
        self.apus = pathlib.Path(arguments.apus)
        self.device = pathlib.Path(arguments.device)
        self.tool = pathlib.Path(arguments.tool)
        self.arguments = arguments
        self.rows: list[dict] = []

    def row(self, work: str, figure: str, target: str, met: bool | None, **values) -> None:
        self.rows.append({"work": work, "figure": figure, "target": target, "met": met, **values})
        print(f"{work:58} {figure:40} {target:22} {'' if met is None else 'met' if met else 'MISSED'}", flush=True)

    def home(self) -> pathlib.Path:
        return pathlib.Path(tempfile.mkdtemp(prefix="apus-bench-"))

    # A round with no training, and the sizes of idle processes.
    def rounds(self) -> None:
        home = self.home()
        data = shards(self.apus, home, "fashion-mnist", 10, keep=1)
        hub = Hub(self.apus, home, self.device)
        try:
            hub.wait()
            time.sleep(1)
            idle = resident(hub.process.pid)
            invitation = hub.invitation(10)
            devices = [hub.join(i, folder, invitation) for i, folder in enumerate(data)]
            hub.wait_for_devices(10)
            time.sleep(1)
            device = statistics.median(resident(d.pid) for d in devices)
            file = recipe(home, model="mcmahan-2nn", set="fashion-mnist", clients=10, rounds=60)
            hub.run("task", "run", file, "--watch")
            rounds = [r for r in hub.json("round", "list", "bench") if r["state"] == "published"]
            seconds = [r["seconds"]["total"] for r in rounds[5:]]
            median = statistics.median(seconds)
            self.row("a round with no training, 2NN, 10 devices, TLS: median", f"{median * 1000:.1f} ms",
                     "<= 100 ms", median <= 0.1, seconds=median)
            trained = statistics.median(resident(d.pid) for d in devices)
            self.row("resident size, aggregator idle", f"{idle / 1e6:.1f} MB", "<= 40 MB", idle <= 40e6, bytes=idle)
            self.row("resident size, a device idle", f"{device / 1e6:.1f} MB", "<= 20 MB", device <= 20e6, bytes=device)
            self.row("resident size, a device after training the 2NN", f"{trained / 1e6:.1f} MB", "<= 25 MB",
                     trained <= 25e6, bytes=trained)
        finally:
            hub.close()
            shutil.rmtree(home, ignore_errors=True)

    # From `apus serve` to the first finished round.
    def start(self) -> None:
        samples = []
        for _ in range(5):
            home = self.home()
            data = shards(self.apus, home, "digits", 2)
            hub = Hub(self.apus, home, self.device)
            try:
                hub.wait()
                invitation = hub.invitation(2)
                devices = [hub.join(i, folder, invitation) for i, folder in enumerate(data)]
                hub.wait_for_devices(2)
                for device in devices:
                    device.kill()
                    device.wait()
                hub.process.send_signal(signal.SIGTERM)
                hub.process.wait()
                file = recipe(home, model="logistic", set="digits", clients=2, rounds=1)
                began = time.monotonic()
                hub.start()
                for i, folder in enumerate(data):
                    hub.join(i, folder, None)
                while subprocess.run(hub.words("task", "run", file, "--watch", "--submit-token", "t"), capture_output=True).returncode:
                    if time.monotonic() - began > 30:
                        raise RuntimeError("no round within 30 s")
                samples.append(time.monotonic() - began)
            finally:
                hub.close()
                shutil.rmtree(home, ignore_errors=True)
        median = statistics.median(samples)
        self.row("from serve to the first finished round, 2 enrolled devices", f"{median:.2f} s", "<= 1 s", median <= 1,
                 seconds=median)

    # Updates of 88 MB, round after round, to their durable acknowledgement, against raw TLS.
    def upload(self) -> None:
        home = self.home()
        hub = Hub(self.apus, home)
        try:
            hub.wait()
            subprocess.run([self.tool, "graph", home / "wide.json"], check=True)
            fleet = hub.spawn(self.tool, "fleet", hub.invitation(1), "--devices", "1", "--shape", "8,8,1", "--timed",
                              name="fleet")
            hub.wait_for_devices(1)
            text = RECIPE % {"model": "", "set": "digits", "clients": 1, "rounds": 15}
            file = home / "wide.json5"
            file.write_text(text.replace('model: ""', 'model: { graph: "wide.json" }'))
            raw = [raw_tls(home, 88_000_000) for _ in range(5)]
            hub.run("task", "run", file, "--watch")
            raw += [raw_tls(home, 88_000_000) for _ in range(5)]
            fleet.kill()
            lines = [json.loads(line) for line in (home / "fleet.log").read_text().splitlines() if line.startswith("{")]
            uploads = [line for line in lines if line["event"] == "uploaded"]
            size = uploads[0]["bytes"] / 1e6
            first, later = uploads[0]["seconds"], statistics.median(u["seconds"] for u in uploads[3:])
            mine, other = size / later, 88 / statistics.median(raw)
            hashing = sha256(88)
            self.row("upload of 88 MB to a durable acknowledgement",
                     f"{mine:.0f} MB/s (the first {size / first:.0f}); raw TLS {other:.0f} MB/s: {mine / other:.0%}; "
                     f"SHA-256 alone {hashing:.0f} MB/s a core",
                     ">= 50 %", mine >= other / 2, megabytes_per_second=mine, raw=other, disk=disk(home, 88),
                     sha256=hashing)
        finally:
            hub.close()
            shutil.rmtree(home, ignore_errors=True)

    # Ten thousand devices that wait; a round over a thousand of them; a restart with ten thousand leases.
    def fleet(self) -> None:
        count, home = self.arguments.devices, self.home()
        hub = Hub(self.apus, home)
        try:
            hub.wait()
            before = resident(hub.process.pid)
            fleet = hub.spawn(self.tool, "fleet", hub.invitation(count), "--devices", str(count), "--shape", "8,8,1",
                              name="fleet")
            hub.wait_for_devices(count, 600)
            time.sleep(2)
            each = (resident(hub.process.pid) - before) / count
            spent = cpu_seconds(hub.process.pid)
            time.sleep(10)
            busy = (cpu_seconds(hub.process.pid) - spent) / 10
            self.row(f"{count:,} connected idle devices: memory of each", f"{each / 1024:.1f} KB; CPU {busy:.1%}",
                     "<= 64 KB", each <= 64 * 1024, bytes=each, cpu=busy)
            text = RECIPE % {"model": "logistic", "set": "digits", "clients": 1000, "rounds": 3}
            file = home / "thousand.json5"
            file.write_text(text.replace("fraction: 1", "size: 1000").replace("quorum: 1", "quorum: 0.9"))
            hub.run("task", "run", file, "--watch")
            rounds = hub.json("round", "list", "bench")
            seconds = statistics.median(r["seconds"]["total"] for r in rounds)
            self.row(f"a round over 1,000 of {count:,}", f"{seconds:.2f} s, {rounds[-1]['accepted']} counted", "completes",
                     rounds[-1]["accepted"] >= 900, seconds=seconds)
        finally:
            hub.close()
            shutil.rmtree(home, ignore_errors=True)

    # A kill while ten thousand devices have an assignment, and the start after it.
    def leases(self) -> None:
        count, home = self.arguments.devices, self.home()
        hub = Hub(self.apus, home)
        try:
            hub.wait()
            fleet = hub.spawn(self.tool, "fleet", hub.invitation(count), "--devices", str(count), "--shape", "8,8,1",
                              "--mute", name="fleet")
            hub.wait_for_devices(count, 600)
            file = home / "leases.json5"
            text = RECIPE % {"model": "logistic", "set": "digits", "clients": 1000, "rounds": 1}
            # All that fit, which the recipe's own clients need not be.
            file.write_text(text)
            hub.run("task", "run", file)
            began, given = time.monotonic(), 0
            while given < count and time.monotonic() - began < 120:
                time.sleep(0.5)
                given = hub.json("round", "list", "bench")[-1]["invited"]
            hub.kill()
            fleet.kill()
            fleet.wait()
            hub.start()
            seconds = hub.wait()
            self.row(f"restart with {given:,} leases to SERVING", f"{seconds:.2f} s", "<= 5 s",
                     seconds <= 5 and given >= count, seconds=seconds)
        finally:
            hub.close()
            shutil.rmtree(home, ignore_errors=True)

    # A hundred updates of 22 million parameters, and their mean.
    def fold(self) -> None:
        home = self.home()
        words = ["100", "22000000", "3"]
        try:
            done = subprocess.run([self.tool, "fold", home, *words], capture_output=True, text=True, check=True)
        finally:
            shutil.rmtree(home, ignore_errors=True)
        ours = json.loads(done.stdout)
        memory = ours["also"]["modelsOfMemory"]
        figure = f"{ours['median']:.2f} s, {memory:.1f} models of memory"
        peers = {}
        for side in ("flower", "numpy") if self.arguments.peers else ():
            python = pathlib.Path(self.arguments.peers) / "bin/python"
            done = subprocess.run([python, ROOT / "Benchmarks/peers/fold.py", side, *words], capture_output=True,
                                  text=True)
            if done.returncode == 0:
                peers[side] = json.loads(done.stdout)["median"]
            else:
                print(f"# {side}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        figure += "".join(f"; {side} {seconds:.2f} s" for side, seconds in peers.items())
        met = memory <= 4 and ours["median"] * 3 <= peers["flower"] if "flower" in peers else None
        self.row("folding 100 updates of 22 M parameters", figure, ">= 3x Flower, <= 4 models", met,
                 seconds=ours["median"], check_seconds=ours["also"]["checkSeconds"], peers=peers)


def raw_tls(home: pathlib.Path, size: int) -> float:
    """Seconds to send so many bytes from `openssl s_client` to `openssl s_server`, TLS 1.3 on loopback."""
    key, certificate, data = home / "raw.key", home / "raw.pem", home / "raw.data"
    if not key.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
                       check=True, capture_output=True)
        data.write_bytes(os.urandom(size))
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-quiet", "-tls1_3", "-accept", str(port), "-key", key, "-cert",
                               certificate, "-naccept", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    with open(data, "rb") as source:
        began = time.monotonic()
        client = subprocess.Popen(["openssl", "s_client", "-quiet", "-no_ign_eof", "-tls1_3", "-connect",
                                   f"127.0.0.1:{port}"],
                                  stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Not with a timeout, which Python keeps by looking now and then: what takes 40 ms would seem to take 65.
    client.wait()
    server.wait()
    return time.monotonic() - began


def sha256(megabytes: int) -> float:
    """MB/s of the digests that every chunk of an upload is checked by, on one core."""
    piece, seconds = os.urandom(1 << 20), []
    for _ in range(5):
        began = time.monotonic()
        for _ in range(megabytes):
            hashlib.sha256(piece).digest()
        seconds.append(time.monotonic() - began)
    return megabytes * (1 << 20) / 1e6 / statistics.median(seconds)


def disk(home: pathlib.Path, megabytes: int) -> float:
    """MB/s of writing a new file and making it durable, without any network."""
    seconds = []
    piece = os.urandom(1_000_000)
    for _ in range(5):
        path = home / "disk"
        began = time.monotonic()
        with open(path, "wb", buffering=0) as file:
            for _ in range(megabytes):
                file.write(piece)
            os.fsync(file.fileno())
        seconds.append(time.monotonic() - began)
        path.rename(home / f"disk-{len(seconds)}")
    return megabytes / statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    programs = ROOT / ".build/static/release"
    parser.add_argument("--apus", default=programs / "apus")
    parser.add_argument("--device", default=programs / "apus-device", help="what devices run")
    parser.add_argument("--tool", default=programs / "apus-bench")
    parser.add_argument("--only", help="rounds, start, upload, fold, fleet, leases: some of them, with commas")
    parser.add_argument("--peers", help="a virtual environment with Flower: see scripts/bench --install-peers")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    wanted = (arguments.only or "rounds,start,upload,fold,fleet,leases").split(",")
    for name in wanted:
        getattr(bench, name)()
    if arguments.save:
        file = ROOT / "Benchmarks/results/federation.json"
        file.write_text(json.dumps({"date": time.strftime("%Y-%m-%d"), "rows": bench.rows}, indent=2) + "\n")
    sys.exit(any(row["met"] is False for row in bench.rows))


if __name__ == "__main__":
    main()
