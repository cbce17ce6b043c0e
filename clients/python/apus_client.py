# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""A device in Python: it joins a federation, trains with code of yours, and sends updates.

One file on grpcio and NumPy (and cryptography, for its key), made from protocols/*.proto alone:

    pip install grpcio grpcio-tools numpy cryptography
    python apus_client.py 'apus://HOST:8443/?token=...&ca=sha256:...' --state DIR --data DIR --train MODULE

MODULE is a Python file with two functions:

    def examples() -> tuple[tuple[int, ...], int]:          # shape of one input, how many examples
    def train(work: Work) -> tuple[dict[str, numpy.ndarray], int, dict[str, float]]:
        # the new parameters by name, how much they count (examples), what was measured

What a round asks for is in work.plan (protocols/apus/v1/plan.proto) and work.parameters (arrays by name).
Everything that must not be lost lies in DIR: kill this program at any moment and start it again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass

import grpc
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CHUNK = 1 << 20
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED,
           grpc.StatusCode.DEADLINE_EXCEEDED}
LOST = {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND}


def load_protocols() -> tuple:
    """The messages and stubs of protocols/*.proto, compiled once a process into a temporary directory."""
    from grpc_tools import protoc

    root = pathlib.Path(os.environ.get("APUS_PROTOCOLS") or pathlib.Path(__file__).resolve().parents[2] / "protocols")
    target = tempfile.mkdtemp(prefix="apus-stubs-")
    files = [str(f.relative_to(root)) for f in sorted(root.glob("apus/v1/*.proto"))]
    if not files or protoc.main(["protoc", f"-I{root}", f"--python_out={target}", f"--grpc_python_out={target}", *files]):
        sys.exit(f"{root} does not have the files apus/v1/*.proto; set APUS_PROTOCOLS to where they are")
    sys.path.insert(0, target)
    from apus.v1 import blob_pb2, blob_pb2_grpc, common_pb2, edge_pb2, edge_pb2_grpc, plan_pb2

    # They are in memory now; a process that is killed later leaves nothing behind.
    sys.path.remove(target)
    shutil.rmtree(target, ignore_errors=True)
    return blob_pb2, blob_pb2_grpc, common_pb2, edge_pb2, edge_pb2_grpc, plan_pb2


blob_pb2, blob_pb2_grpc, common_pb2, edge_pb2, edge_pb2_grpc, plan_pb2 = load_protocols()


class Refused(Exception):
    """The aggregator does not let this device in, or not any more."""


# --- Files that survive ---------------------------------------------------------------------------------


def write_durably(path: pathlib.Path, data: bytes) -> None:
    """The file is the old one or the new one, whole, whenever the power fails."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


# --- Who this device is -----------------------------------------------------------------------------------


class Identity:
    """The device's key, its certificate, and the authority that it trusts."""

    def __init__(self, state: pathlib.Path):
        self.state = state
        state.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def is_enrolled(self) -> bool:
        return (self.state / "device.json").exists()

    @property
    def facts(self) -> dict:
        return json.loads((self.state / "device.json").read_text())

    def channel(self) -> grpc.Channel:
        """A connection with this device's certificate, or without one before it is enrolled."""
        root = (self.state / "authority.pem").read_bytes()
        pair = {}
        if self.is_enrolled:
            pair = {"private_key": (self.state / "key.pem").read_bytes(),
                    "certificate_chain": self.facts["certificates"].encode()}
        limits = [("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20)]
        target = (self.state / "address").read_text().strip()
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(root, **pair), options=limits)

    def enrol(self, invitation: str, name: str) -> None:
        """Trades the invitation's token for a certificate; the same device however often it is tried."""
        host, port, token, pin = parse_invitation(invitation)
        authority = pinned_authority(host, port, pin)
        write_durably(self.state / "authority.pem", authority)
        write_durably(self.state / "address", f"{f'[{host}]' if ':' in host else host}:{port}".encode())
        if not (self.state / "attempt").exists():
            key = ec.generate_private_key(ec.SECP256R1())
            write_durably(self.state / "key.pem", key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            write_durably(self.state / "attempt", secrets.token_bytes(16))
        with self.channel() as channel:
            edge = edge_pb2_grpc.EdgeStub(channel)
            retrying(lambda: edge.Hello(edge_pb2.HelloRequest(version_min=1, version_max=1, build="apus-python/1")))
            reply = retrying(lambda: edge.Enroll(edge_pb2.EnrollRequest(
                token=token, signing_request=self.signing_request(), name=name,
                idempotency_key=(self.state / "attempt").read_bytes())))
        self.keep(reply)

    def renew_if_due(self) -> None:
        """A new certificate when two thirds of the old one's time are over."""
        certificate = x509.load_pem_x509_certificate(self.facts["certificates"].encode())
        begin, end = certificate.not_valid_before.timestamp(), certificate.not_valid_after.timestamp()
        if time.time() > begin + (end - begin) * 2 / 3:
            with self.channel() as channel:
                request = edge_pb2.RenewCertificateRequest(signing_request=self.signing_request())
                self.keep(retrying(lambda: edge_pb2_grpc.EdgeStub(channel).RenewCertificate(request)))

    def signing_request(self) -> bytes:
        key = serialization.load_pem_private_key((self.state / "key.pem").read_bytes(), None)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        return request.public_bytes(serialization.Encoding.DER)

    def keep(self, reply) -> None:
        chain = "".join(ssl.DER_cert_to_PEM_cert(der) for der in reply.certificates)
        facts = {"device_id": reply.device_id, "device_number": reply.device_number, "certificates": chain}
        write_durably(self.state / "device.json", json.dumps(facts).encode())


def parse_invitation(text: str) -> tuple[str, int, str, bytes]:
    url = urllib.parse.urlsplit(text)
    query = urllib.parse.parse_qs(url.query)
    kind, _, digest = query.get("ca", [""])[0].partition(":")
    if url.scheme != "apus" or not url.hostname or not url.port or kind != "sha256" or not query.get("token"):
        sys.exit("the invitation is not apus://HOST:PORT/?token=...&ca=sha256:...")
    return url.hostname, url.port, query["token"][0], bytes.fromhex(digest)


def pinned_authority(host: str, port: int, pin: bytes) -> bytes:
    """The certificate (PEM) in the server's chain that has this SHA-256. grpcio then verifies with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent before the pin is checked
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection((host, port), 10) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
            get = getattr(tls, "get_unverified_chain", None) or tls._sslobj.get_unverified_chain
            chain = [c if isinstance(c, bytes) else ssl.PEM_cert_to_DER_cert(c.public_bytes()) for c in get()]
    except OSError as error:
        raise Refused(f"{host}:{port} cannot be reached: {error}") from error
    for der in chain:
        if hashlib.sha256(der).digest() == pin:
            return ssl.DER_cert_to_PEM_cert(der).encode()
    raise Refused(f"{host}:{port} is not the aggregator of this invitation: its authority has another digest")


# --- Calls ------------------------------------------------------------------------------------------------


def retrying(call, stopped: threading.Event | None = None, patience: float = 3600):
    """Repeats a call with the same arguments while the aggregator says that this may help."""
    began, delay = time.monotonic(), 0.2
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
                raise Refused(error.details()) from error
            if error.code() not in RETRIED or time.monotonic() - began > patience:
                raise
        pause(delay * random.uniform(0.5, 1.5), stopped)
        delay = min(delay * 2, 30)


def pause(seconds: float, stopped: threading.Event | None) -> None:
    if stopped is None:
        time.sleep(seconds)
    elif stopped.wait(seconds):
        raise KeyboardInterrupt


# --- Blobs ------------------------------------------------------------------------------------------------


def manifest_of(data: bytes):
    digests = b"".join(hashlib.sha256(data[i:i + CHUNK]).digest() for i in range(0, len(data), CHUNK))
    return blob_pb2.BlobManifest(size=len(data), chunk_size=CHUNK, chunk_digests=digests)


def digest_of(manifest) -> bytes:
    head = b"apus-blob-v1" + struct.pack("<QI", manifest.size, manifest.chunk_size)
    return hashlib.sha256(head + manifest.chunk_digests).digest()


def download(blobs, manifest, cache: pathlib.Path) -> bytes:
    """A blob from the cache, or the rest of it from the aggregator; every chunk is checked before it is kept."""
    digest, path = digest_of(manifest), cache / digest_of(manifest).hex()
    partial = path.with_suffix(".partial")
    cache.mkdir(exist_ok=True)
    if path.exists():
        return path.read_bytes()
    with open(partial, "ab") as file:
        file.truncate(file.tell() // manifest.chunk_size * manifest.chunk_size)
        offset = file.seek(0, os.SEEK_END)
        chunk = bytearray()
        for piece in blobs.ReadBlob(blob_pb2.ReadBlobRequest(digest=digest, offset=offset)):
            if piece.offset != offset + len(chunk) or piece.encoding != common_pb2.ENCODING_NONE:
                raise ValueError("the aggregator sent another piece than the one asked for")
            chunk += piece.data
            index = offset // manifest.chunk_size
            length = min(manifest.chunk_size, manifest.size - offset)
            if len(chunk) >= length:
                expected = manifest.chunk_digests[32 * index:32 * index + 32]
                if len(chunk) != length or hashlib.sha256(chunk).digest() != expected:
                    raise ValueError(f"chunk {index} does not have its digest")
                file.write(chunk)
                offset, chunk = offset + length, bytearray()
        if offset != manifest.size:
            raise ValueError("the aggregator sent less than the blob")
    os.replace(partial, path)
    for old in sorted(cache.iterdir(), key=lambda f: f.stat().st_mtime)[:-8]:
        old.unlink(missing_ok=True)
    return path.read_bytes()


def upload(blobs, assignment, data: bytes) -> bytes:
    """Sends the chunks that the aggregator does not have yet; returns the blob's digest."""
    manifest = manifest_of(data)
    status = blobs.BeginUpload(blob_pb2.BeginUploadRequest(
        manifest=manifest, lease_id=assignment.lease_id, epoch=assignment.epoch))

    def chunks():
        for index in range((len(data) + CHUNK - 1) // CHUNK):
            if not (index // 8 < len(status.present) and status.present[index // 8] >> index % 8 & 1):
                yield blob_pb2.WriteChunk(digest=status.digest, index=index, data=data[index * CHUNK:(index + 1) * CHUNK])

    if not status.complete:
        status = blobs.WriteBlob(chunks())
    if not status.complete or status.digest != digest_of(manifest):
        raise ValueError("the aggregator does not have the whole update")
    return status.digest


# --- Examples ---------------------------------------------------------------------------------------------


def read_examples(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (float32) and targets of a folder that `apus data split --export` wrote: IDX files, apus-data.json5."""
    root = pathlib.Path(folder)
    text = (root / "apus-data.json5").read_text()

    def value(key: str, default=None):
        found = re.search(rf"^\s*{key}:\s*(.+?),?\s*$", text, re.MULTILINE)
        return json.loads(found.group(1)) if found else default

    def idx(name: str) -> np.ndarray:
        data = (root / name).read_bytes()
        kind = {0x08: ">u1", 0x0C: ">i4", 0x0D: ">f4"}[data[2]]
        shape = struct.unpack(f">{data[3]}I", data[4:4 + 4 * data[3]])
        return np.frombuffer(data, kind, offset=4 + 4 * data[3]).reshape(shape)

    inputs = idx(value("inputs")) * np.float32(value("scale", 1)) + np.float32(value("offset", 0))
    return inputs.astype(np.float32), idx(value("targets"))


# --- Rounds -----------------------------------------------------------------------------------------------


@dataclass
class Work:
    """What a round asks of this device."""

    plan: object
    """protocols/apus/v1/plan.proto: graph, loss, algorithm, data."""
    parameters: dict[str, np.ndarray]
    """The model's trained parameters, float32."""
    round: int
    task: str


def layout_of(plan) -> list[tuple[str, tuple[int, ...]]]:
    return [(p.name, tuple(p.shape.extents)) for p in plan.graph.parameters if not p.is_frozen]


def split(vector: np.ndarray, layout) -> dict[str, np.ndarray]:
    arrays, end = {}, 0
    for name, shape in layout:
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = vector[end:end + count].reshape(shape)
        end += count
    return arrays


def encode(update: np.ndarray, kind: int) -> bytes:
    if kind == common_pb2.DATA_TYPE_FLOAT16:
        return update.astype("<f2").tobytes()
    if kind == common_pb2.DATA_TYPE_BFLOAT16:
        bits = update.astype("<f4").view("<u4").astype(np.uint64)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()
    return update.astype("<f4").tobytes()


class Device:
    def __init__(self, identity: Identity, module, log=print):
        self.identity, self.module, self.log = identity, module, log
        self.state = identity.state
        self.stopped = threading.Event()
        self.rounds_counted = 0

    def run(self, rounds: int | None = None) -> None:
        """Takes part in rounds until stopped, or until so many were counted."""
        while not self.stopped.is_set() and (rounds is None or self.rounds_counted < rounds):
            self.identity.renew_if_due()
            try:
                with self.identity.channel() as channel:
                    self.take_part(channel, rounds)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
                    raise Refused(error.details()) from error
                if error.code() not in RETRIED | LOST | {grpc.StatusCode.CANCELLED}:
                    raise
                self.log({"event": "interrupted", "code": error.code().name})
                pause(random.uniform(0.2, 1), self.stopped)

    def take_part(self, channel, rounds) -> None:
        edge, blobs = edge_pb2_grpc.EdgeStub(channel), blob_pb2_grpc.BlobsStub(channel)
        shape, count = self.module.examples()
        request = edge_pb2.CheckInRequest(input_shape=shape, example_count_bucket=1 << max(count - 1, 0).bit_length())
        for event in edge.WaitAssignment(request):
            if self.stopped.is_set():
                return
            if event.WhichOneof("event") == "goodbye":
                return pause(random.uniform(event.retry.min_ms, event.retry.max_ms) / 1000, self.stopped)
            if event.WhichOneof("event") == "assignment":
                self.work(edge, blobs, event.assignment)
                if rounds is not None and self.rounds_counted >= rounds:
                    return

    def work(self, edge, blobs, assignment) -> None:
        with Lease(edge, assignment):
            plan = plan_pb2.Plan.FromString(download(blobs, assignment.plan, self.state / "cache"))
            model = np.frombuffer(download(blobs, assignment.model, self.state / "cache"), "<f4")
            update = self.trained(assignment, plan, model)
            blob = upload(blobs, assignment, update["data"])
            request = edge_pb2.SubmitUpdateRequest(
                idempotency_key=update["key"], lease_id=assignment.lease_id, epoch=assignment.epoch,
                update=edge_pb2.Update(
                    blob=blob, type=plan.update_type, count=model.size, layout_digest=assignment.layout_digest,
                    weight=update["weight"],
                    metrics=[common_pb2.Metric(name=n, value=v) for n, v in update["metrics"].items()]))
            reply = retrying(lambda: edge.SubmitUpdate(request), self.stopped, patience=60)
        verdict = edge_pb2.SubmitUpdateReply.Verdict.Name(reply.verdict)
        self.log({"event": "submitted", "task": assignment.task_id, "round": assignment.round,
                  "verdict": verdict.removeprefix("VERDICT_").lower(), "reason": reply.reason})
        if reply.verdict in (edge_pb2.SubmitUpdateReply.VERDICT_ACCEPTED, edge_pb2.SubmitUpdateReply.VERDICT_DUPLICATE):
            self.rounds_counted += 1

    def trained(self, assignment, plan, model: np.ndarray) -> dict:
        """The update of this round: trained once, kept until another round comes, whatever is killed between."""
        name = f"{assignment.task_id}-{assignment.round}-{digest_of(assignment.model).hex()[:16]}"
        facts_file, data_file = self.state / "update.json", self.state / "update.bin"
        if facts_file.exists() and (facts := json.loads(facts_file.read_text()))["name"] == name:
            data = data_file.read_bytes()
            if hashlib.sha256(data).hexdigest() == facts["digest"]:
                return {**facts, "key": bytes.fromhex(facts["key"]), "data": data}
        layout = layout_of(plan)
        text = "".join(f"{n}:{','.join(map(str, s))};" for n, s in layout)
        if hashlib.sha256(text.encode()).digest() != assignment.layout_digest:
            raise ValueError("the plan is not the one that the assignment speaks of")
        work = Work(plan, split(model.copy(), layout), assignment.round, assignment.task_id)
        parameters, weight, metrics = self.module.train(work)
        after = np.concatenate([np.asarray(parameters[n], "<f4").reshape(-1) for n, _ in layout])
        # FedSGD sends the gradient itself; the others what they moved by.
        update = after if plan.algorithm.WhichOneof("kind") == "fedsgd" else after - model
        data = encode(update, plan.update_type)
        facts = {"name": name, "key": secrets.token_hex(16), "weight": weight, "metrics": metrics,
                 "digest": hashlib.sha256(data).hexdigest()}
        write_durably(data_file, data)
        write_durably(facts_file, json.dumps(facts).encode())
        return {**facts, "key": bytes.fromhex(facts["key"]), "data": data}


class Lease:
    """Keeps the lease alive while its owner works."""

    def __init__(self, edge, assignment):
        self.edge, self.assignment, self.over = edge, assignment, threading.Event()
        self.thread = threading.Thread(target=self.keep_alive, daemon=True)

    def keep_alive(self) -> None:
        progress = 0
        while not self.over.wait(self.assignment.lease_ms / 3000 * random.uniform(0.8, 1.2)):
            progress += 1
            try:
                self.edge.KeepAlive(edge_pb2.KeepAliveRequest(
                    lease_id=self.assignment.lease_id, epoch=self.assignment.epoch, progress=progress), timeout=10)
            except grpc.RpcError:
                pass  # The submission will be told.

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("invitation", nargs="?", help="apus://..., the first time")
    parser.add_argument("--state", required=True, type=pathlib.Path, help="directory of this device")
    parser.add_argument("--train", required=True, type=pathlib.Path, help="Python file with examples() and train(work)")
    parser.add_argument("--data", help="folder with this device's examples: $APUS_EXAMPLES for MODULE")
    parser.add_argument("--name", default=socket.gethostname())
    parser.add_argument("--rounds", type=int, help="end when so many updates were counted")
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("training", arguments.train)
    module = importlib.util.module_from_spec(spec)
    sys.modules["training"], sys.modules["apus_client"] = module, sys.modules[__name__]
    if arguments.data:
        os.environ["APUS_EXAMPLES"] = arguments.data
    spec.loader.exec_module(module)
    identity = Identity(arguments.state)
    device = Device(identity, module, log=lambda event: print(json.dumps(event), flush=True))
    signal.signal(signal.SIGTERM, lambda *_: (device.stopped.set(), sys.exit(130)))
    try:
        if not identity.is_enrolled:
            if not arguments.invitation:
                parser.error("an invitation is needed the first time")
            identity.enrol(arguments.invitation, arguments.name)
        print(json.dumps({"event": "joined", **{k: identity.facts[k] for k in ("device_id", "device_number")}}), flush=True)
        device.run(arguments.rounds)
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
