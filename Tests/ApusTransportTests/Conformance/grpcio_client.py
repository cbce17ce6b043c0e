# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Python's grpcio against a server of the tests': HOST:PORT, then PEM files of the authority, a client's chain and key.

Messages are bytes without meaning, so no stubs are needed. Prints "ok" at the end.
"""
import sys
import time

import grpc

target, authority, chain, key = sys.argv[1:5]
read = lambda path: open(path, "rb").read()
anonymous = grpc.secure_channel(target, grpc.ssl_channel_credentials(read(authority)))
channel = grpc.secure_channel(
    target, grpc.ssl_channel_credentials(read(authority), read(key), read(chain)))

# Unary, large and small; who calls.
echo = anonymous.unary_unary("/test.Echo/Unary")
assert echo(b"hello", timeout=20) == b"hello"
assert echo(b"", timeout=20) == b""
big = bytes(range(256)) * 12_000
assert echo(big, timeout=20) == big
assert anonymous.unary_unary("/test.Echo/Who")(b"", timeout=20) == b"nobody"
assert channel.unary_unary("/test.Echo/Who")(b"", timeout=20) == b"0" * 32

# Streams; 90 MB in messages of 1 MiB.
count = channel.stream_unary("/test.Echo/Count")
assert count(iter([b"a", b"", b"bc"]), timeout=20) == b"3"
start = time.monotonic()
part = b"x" * (1 << 20)
assert count((part for _ in range(86)), timeout=60) == str(86 << 20).encode()
print("90 MB up in %.2f s" % (time.monotonic() - start))
replies = list(channel.unary_stream("/test.Echo/Repeat")(b"\x05" + b"y" * 500_000, timeout=20))
assert replies == [b"y" * 500_000] * 5
both = channel.stream_stream("/test.Echo/Both")
assert list(both(iter([b"1", b"22", b""]), timeout=20)) == [b"1", b"22", b""]


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


# Statuses.
error = failure(lambda: channel.unary_unary("/test.Echo/Fail")(b"x", timeout=20))
assert error.code() == grpc.StatusCode.NOT_FOUND, error
assert error.details() == "nothing here: 100 % \u2713", error.details()
details = dict(error.trailing_metadata())["grpc-status-details-bin"]
assert b"google.rpc.ErrorInfo" in details and b"test-reason" in details and b"google.rpc.RetryInfo" in details
assert failure(lambda: echo(b"x" * (5 << 20), timeout=20)).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
assert failure(lambda: channel.unary_unary("/no.Such/Call")(b"", timeout=20)).code() == grpc.StatusCode.UNIMPLEMENTED
start = time.monotonic()
assert failure(lambda: channel.unary_unary("/test.Echo/Wait")(b"", timeout=0.3)).code() == grpc.StatusCode.DEADLINE_EXCEEDED
assert time.monotonic() - start < 5

# Cancellation.
waiting = channel.unary_stream("/test.Echo/Wait")(b"", timeout=20)
assert next(waiting) == b""
waiting.cancel()
assert failure(lambda: next(waiting)).code() == grpc.StatusCode.CANCELLED

# The standard health protocol: Check answers SERVING, which is field 1 with value 1.
assert anonymous.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=20) == b"\x08\x01"
watch = anonymous.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=20)
assert next(watch) == b"\x08\x01"
watch.cancel()
print("ok")
