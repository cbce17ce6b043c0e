#!/usr/bin/env python3
# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Whether a device's client keeps to the protocol: a small suite that any client can run.

    conformance.py --apus .build/debug/apus -- CLIENT COMMAND WITH {invitation} {state} {data} {rounds}

for example

    conformance.py --apus .build/debug/apus -- .build/debug/apus join {invitation} --state {state} --data {data} --rounds {rounds}
    conformance.py --apus .build/debug/apus -- python clients/python/apus_client.py {invitation} --state {state} \\
        --data {data} --train clients/python/train_numpy.py --rounds {rounds}

The command must: join with the invitation, or, when its state directory has an identity already, go on with it; take
part in rounds until {rounds} of its updates were accepted, then end with 0; end with 3 where it is not let in; survive
SIGKILL. {data} is a folder as `apus data split --export` writes it (64 numbers an example, ten classes); the plan is
logistic regression. The suite starts a real aggregator on loopback. Needs Python 3.9 and nothing else.
"""

import argparse
import json
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

RECIPE = """{
  name: "%(name)s", model: "logistic", data: { set: "digits", split: "iid", clients: 1 },
  algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
  cohort: { size: 1 }, rounds: %(rounds)d, serve: { overSelection: 1, reportTimeout: 60 },
}
"""


class Proxy:
    """Passes bytes on, and cuts the first connections after a while."""

    def __init__(self, target: int, cuts: list):
        self.target, self.cuts = target, list(cuts)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            budget = [self.cuts.pop(0) if self.cuts else None]
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b, budget), daemon=True).start()

    def pump(self, source, target, budget) -> None:
        try:
            while data := source.recv(16384):
                if budget[0] is not None:
                    budget[0] -= len(data)
                    if budget[0] < 0:
                        break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Suite:
    def __init__(self, apus: str, client: list):
        self.apus, self.client = apus, client
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="apus-conformance-"))
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        subprocess.run([apus, "data", "split", "digits", "--clients", "1", "--export", self.home / "data"], check=True,
                       capture_output=True)
        self.data = next((self.home / "data").iterdir())
        self.hub = None
        self.invitations = {}
        self.log = open(self.home / "log.txt", "ab")

    # --- The aggregator

    def serve(self) -> None:
        self.hub = subprocess.Popen([self.apus, "serve", "--data-dir", self.home / "hub", "--listen",
                                     f"127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)
        self.until(lambda: self.try_json("task", "list") is not None, "the aggregator serves")

    def words(self, *words) -> list:
        return [self.apus, *words, "--format", "json", "--hub", self.home / "hub"]

    def try_json(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True)
        return json.loads(done.stdout or "null") if done.returncode == 0 else None

    def json(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"apus {' '.join(map(str, words))}: {done.stderr}")
        return json.loads(done.stdout or "null")

    def invitation(self) -> str:
        return self.json("invite")["url"]

    def task(self, name: str, rounds: int) -> None:
        file = self.home / f"{name}.json5"
        file.write_text(RECIPE % {"name": name, "rounds": rounds})
        self.json("task", "run", file)

    def rounds(self, task: str) -> list:
        return [r for r in self.json("round", "list", task) if r["state"] == "published"]

    def device_count(self) -> int:
        return sum(d["role"] == "device" for d in self.json("device", "list"))

    # --- The client

    def start(self, state: str, rounds: int, invitation: str = "") -> subprocess.Popen:
        """The client; a state directory always comes with the invitation that it was made with."""
        invitation = self.invitations.setdefault(state, invitation or self.invitation())
        values = {"invitation": invitation, "state": str(self.home / state), "data": str(self.data), "rounds": str(rounds)}
        words = [word.format(**values) for word in self.client]
        return subprocess.Popen(words, stdout=self.log, stderr=self.log)

    def until(self, condition, what: str, limit: float = 60) -> None:
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"after {limit:.0f} s it is still not so that {what}")
            time.sleep(0.05)

    def end(self, process: subprocess.Popen, limit: float = 60) -> int:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"the client has not ended within {limit:.0f} s")

    # --- What is expected

    def joins_and_is_counted(self) -> None:
        """joins with an invitation; its updates are counted, one a round, with its examples as weight; ends with 0"""
        self.task("counted", 3)
        status = self.end(self.start("one", 3))
        assert status == 0, f"it ended with {status}"
        rounds = self.rounds("counted")
        assert [r["accepted"] for r in rounds] == [1, 1, 1], rounds
        assert len({r["totalWeight"] for r in rounds}) == 1 and rounds[0]["totalWeight"] > 100, rounds

    def goes_on_as_the_same_device(self) -> None:
        """goes on with its identity when it is started again"""
        before = self.device_count()
        self.task("again", 1)
        status = self.end(self.start("one", 1))
        assert status == 0, f"it ended with {status}"
        assert self.device_count() == before, "it enrolled as another device"

    def survives_its_kill(self) -> None:
        """is killed again and again, and counted once a round"""
        self.task("killed", 12)
        generator = random.Random(1)
        for _ in range(6):
            process = self.start("two", 100)
            time.sleep(generator.uniform(0.3, 2))
            process.kill()
            process.wait()
        process = self.start("two", 100)
        self.until(lambda: len(self.rounds("killed")) == 12, "all rounds are published", 120)
        process.kill()
        process.wait()
        assert all(r["accepted"] == 1 for r in self.rounds("killed"))

    def survives_the_aggregator(self) -> None:
        """goes on when the aggregator was killed and is back"""
        self.task("restarted", 400)
        process = self.start("two", 400)
        self.until(lambda: len(self.rounds("restarted")) > 1, "rounds go on")
        for _ in range(2):
            self.hub.kill()
            self.hub.wait()
            self.serve()
            count = len(self.rounds("restarted"))
            self.until(lambda: len(self.rounds("restarted")) > count, "rounds go on after the restart")
        self.json("task", "cancel", "restarted")
        process.kill()
        process.wait()

    def survives_cuts(self) -> None:
        """is behind a network that cuts its first connections"""
        self.task("cut", 2)
        proxy = Proxy(self.port, [3_000, 5_000, 7_000, 9_000, 12_000])
        url = self.invitation().replace(f":{self.port}/", f":{proxy.port}/")
        status = self.end(self.start("three", 2, url), 120)
        assert status == 0, f"it ended with {status}"
        assert all(r["accepted"] == 1 for r in self.rounds("cut"))

    def refuses_another_authority(self) -> None:
        """does not talk to an aggregator whose authority is not the invitation's"""
        url = self.invitation()
        digest = url.split("sha256:")[1]
        other = digest[:-4] + ("0000" if digest[-4:] != "0000" else "1111")
        status = self.end(self.start("four", 1, url.replace(digest, other)))
        assert status == 3, f"it ended with {status}, not with 3"

    def is_not_let_in(self) -> None:
        """ends with 3 where the invitation is used up"""
        url = self.invitation()
        self.task("used", 1)
        assert self.end(self.start("five", 1, url)) == 0
        status = self.end(self.start("six", 1, url))
        assert status == 3, f"it ended with {status}, not with 3"

    def accepts_its_revocation(self) -> None:
        """ends with 3 when it is revoked"""
        device = max((d for d in self.json("device", "list") if d["role"] == "device"), key=lambda d: d["number"])
        process = self.start("five", 1)
        time.sleep(1)
        self.json("device", "revoke", device["device"])
        status = self.end(process)
        assert status == 3, f"it ended with {status}, not with 3"

    def run(self) -> int:
        failed = 0
        tests = [self.joins_and_is_counted, self.goes_on_as_the_same_device, self.survives_its_kill,
                 self.survives_the_aggregator, self.survives_cuts, self.refuses_another_authority, self.is_not_let_in,
                 self.accepts_its_revocation]
        self.serve()
        try:
            for test in tests:
                began = time.monotonic()
                try:
                    test()
                    verdict = "passed"
                except AssertionError as error:
                    verdict, failed = f"FAILED: {error}", failed + 1
                print(f"{test.__doc__}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
        finally:
            self.hub.kill()
            self.hub.wait()
        print(f"{len(tests) - failed} of {len(tests)} passed")
        if failed:
            print(f"what client and aggregator said: {self.home / 'log.txt'}")
        else:
            shutil.rmtree(self.home, ignore_errors=True)
        return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apus", required=True, help="the apus that serves")
    parser.add_argument("client", nargs=argparse.REMAINDER, help="-- and the client's command")
    arguments = parser.parse_args()
    client = arguments.client[1:] if arguments.client[:1] == ["--"] else arguments.client
    if not client:
        parser.error("the client's command is missing, behind --")
    return Suite(arguments.apus, client).run()


if __name__ == "__main__":
    sys.exit(main())
