# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Writes messages.txt: messages as Google's protobuf writes them, a line each, NAME and hexadecimal digits;
and plan.bin: a logistic regression's plan.

    python make_goldens.py          (protobuf 7.36.2, grpcio-tools 1.85.1)

For every message of protocols/ an empty one and some with random contents; seeded, so that the file is the same
every time. Stubs are made of the .proto files alone.
"""

import importlib
import pathlib
import random
import sys
import tempfile

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

HERE = pathlib.Path(__file__).parent
PROTOCOLS = HERE.parents[2] / "protocols"
SAMPLES = 6
draw = random.Random(4)


def number(field):
    bits = {Field.TYPE_UINT32: 32, Field.TYPE_UINT64: 64, Field.TYPE_INT32: 31, Field.TYPE_INT64: 63}
    kind = field.type
    if kind == Field.TYPE_BOOL:
        return draw.random() < 0.7
    if kind in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        return draw.choice([1.5, -0.25, 3.0e38, 1e-40, draw.randrange(1, 999) / 8])
    if kind == Field.TYPE_STRING:
        return draw.choice(["", "a", "gr\u00fc\u00df \U0001f600", "x" * draw.randrange(200)])
    if kind == Field.TYPE_BYTES:
        return draw.randbytes(draw.choice([0, 1, 16, 32, 300]))
    if kind == Field.TYPE_ENUM:
        return draw.choice([v.number for v in field.enum_type.values] + [77])
    value = draw.getrandbits(draw.randrange(1, bits[kind] + 1))
    return -value if bits[kind] % 2 and draw.random() < 0.3 else value


def fill(message, depth, share):
    oneofs = {each: draw.choice(each.fields) for each in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        chosen = oneofs.get(field.containing_oneof, field)
        if chosen is not field or draw.random() > share:
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            for _ in range(draw.randrange(4)):
                # Nothing empty: Python writes an empty key or value of a map, protobuf-c leaves it out.
                getattr(message, field.name)[draw.choice(["a", "b", "site", "\u00e9"])] = number(value) or (
                    "z" if value.type == Field.TYPE_STRING else 1)
        elif field.message_type:
            if depth == 0:
                continue
            parts = [getattr(message, field.name)]
            if field.is_repeated:
                parts = [parts[0].add() for _ in range(draw.randrange(4))]
            else:
                parts[0].SetInParent()
            for part in parts:
                fill(part, depth - 1, share)
        elif field.is_repeated:
            getattr(message, field.name).extend(number(field) for _ in range(draw.randrange(5)))
        else:
            setattr(message, field.name, number(field))


def messages(descriptor):
    yield descriptor
    for nested in descriptor.nested_types:
        if not nested.GetOptions().map_entry:
            yield from messages(nested)


def plan(pb):
    """Four features, three classes: scores are input x weight + bias."""

    def node(shape, inputs=(), batched=False, **kind):
        return pb.Node(operation=pb.Operation(**kind), inputs=inputs, shape=pb.Shape(extents=shape), is_batched=batched)

    signature = pb.InputSignature(shape=pb.Shape(extents=[4]))
    uniform, zero = pb.Initializer(uniform_bound=0.5), pb.Initializer(constant=0)
    return pb.Plan(
        version=1,
        graph=pb.Graph(
            nodes=[
                node([4], batched=True, input=pb.Empty()),
                node([4, 3], parameter=0),
                node([3], [0, 1], batched=True, product=pb.Product()),
                node([3], parameter=1),
                node([3], [2, 3], batched=True, binary=pb.Binary(function=pb.Binary.FUNCTION_ADD)),
            ],
            parameters=[
                pb.Parameter(name="weight", shape=pb.Shape(extents=[4, 3]), initializer=uniform),
                pb.Parameter(name="bias", shape=pb.Shape(extents=[3]), initializer=zero),
            ],
            input=signature,
            output=4,
        ),
        loss=pb.LOSS_SOFTMAX_CROSS_ENTROPY,
        algorithm=pb.Algorithm(
            fedavg=pb.LocalTraining(
                local_epochs=2,
                batch_size=10,
                learning_rate=0.125,
                optimizer=pb.Optimizer(sgd=pb.SGD(momentum=0.5)),
                schedule=pb.Schedule(exponential=0.75),
            )
        ),
        data=pb.DataSchema(input=signature, classes=3),
        update_type=importlib.import_module("apus.v1.common_pb2").DATA_TYPE_BFLOAT16,
    )


def main():
    stubs = tempfile.mkdtemp()
    files = sorted(str(path.relative_to(PROTOCOLS)) for path in PROTOCOLS.rglob("*.proto"))
    # google/rpc/status.proto is ours, and has messages that protobuf's own files have too: another package.
    for name in files:
        status = protoc.main(["protoc", f"-I{PROTOCOLS}", f"--python_out={stubs}", name])
        assert status == 0, name
    sys.path.insert(0, stubs)
    # The packages google and grpc are there already: their folders get ours as well.
    for package in ("google", "grpc"):
        importlib.import_module(package).__path__.append(f"{stubs}/{package}")
    lines = ["# Made by make_goldens.py; not to be edited."]
    for name in files:
        module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
        for top in module.DESCRIPTOR.message_types_by_name.values():
            for descriptor in messages(top):
                for sample in range(SAMPLES):
                    message = GetMessageClass(descriptor)()
                    fill(message, 3, share=[0, 1, 1, 0.6, 0.6, 0.3][sample])
                    text = message.SerializeToString(deterministic=True).hex()
                    lines.append(f"{descriptor.full_name} {text}".rstrip())
    logistic = plan(importlib.import_module("apus.v1.plan_pb2"))
    (HERE / "plan.bin").write_bytes(logistic.SerializeToString(deterministic=True))
    (HERE / "messages.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
