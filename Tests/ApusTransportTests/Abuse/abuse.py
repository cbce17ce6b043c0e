# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Raw frames that no honest client sends, against a server of the tests'.

    abuse.py PORT AUTHORITY.pem quick|all SECONDS

SECONDS is what the server gives handshakes, SETTINGS, header blocks and streams without progress. Each attack says
what it expects; one line each, "FAILED" in those that were disappointed. Exit 1 if any was.
"""
import concurrent.futures
import select
import socket
import ssl
import struct
import sys
import time

import hpack
from hyperframe.frame import (
    ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame,
    SettingsFrame, WindowUpdateFrame)

port, authority, extent, patience = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
many = 20 if extent == "all" else 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL, FLOW, SIZE, REFUSED, CANCEL, COMPRESSION, CALM = 0, 1, 3, 6, 7, 8, 9, 11


class Closed(Exception):
    pass


class Client:
    """A connection over which frames go as they are."""

    def __init__(self, settings=None, preface=PREFACE, hello=True):
        context = ssl.create_default_context(cafile=authority)
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket = context.wrap_socket(raw, server_hostname="localhost")
        self.buffer = b""
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        if hello:
            self.write(preface + SettingsFrame(0, settings=settings or {}).serialize())

    def write(self, data):
        try:
            self.socket.sendall(data)
        except (OSError, ssl.SSLError) as error:
            raise Closed() from error

    def send(self, *frames):
        self.write(b"".join(frame.serialize() for frame in frames))

    def head(self, path="/test.Echo/Unary", kind="application/grpc", extra=()):
        return self.encoder.encode(
            [(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost"),
             ("te", "trailers"), ("content-type", kind), *extra])

    def call(self, stream, path="/test.Echo/Unary", kind="application/grpc", ends=False, extra=()):
        flags = ["END_HEADERS"] + (["END_STREAM"] if ends else [])
        self.send(HeadersFrame(stream, self.head(path, kind, extra), flags=flags))

    def frames(self, seconds=20):
        """What comes, until the server closes or the time is over."""
        end = time.monotonic() + seconds
        while True:
            while len(self.buffer) >= 9:
                frame, length = Frame.parse_frame_header(memoryview(self.buffer[:9]))
                if len(self.buffer) < 9 + length:
                    break
                frame.parse_body(memoryview(self.buffer[9:9 + length]))
                self.buffer = self.buffer[9 + length:]
                yield frame
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the server did not react")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise TimeoutError("the server did not react")
            except (OSError, ssl.SSLError):
                return
            if not data:
                return
            self.buffer += data

    def until_closed(self, seconds=20):
        """The code of the GOAWAY before the end, None without one."""
        code = None
        for frame in self.frames(seconds):
            if isinstance(frame, GoAwayFrame):
                code = frame.error_code
        return code

    def fields(self, stream, seconds=20):
        """The header fields that come on a stream until it ends, and the code of its reset."""
        found, code = {}, None
        for frame in self.frames(seconds):
            if isinstance(frame, GoAwayFrame):
                raise AssertionError(f"GOAWAY {frame.error_code}")
            if isinstance(frame, HeadersFrame):
                fields = dict(self.decoder.decode(frame.data))
                if frame.stream_id == stream:
                    found.update(fields)
            if frame.stream_id == stream and isinstance(frame, RstStreamFrame):
                return found, frame.error_code
            if frame.stream_id == stream and "END_STREAM" in frame.flags:
                return found, code
        raise AssertionError("the connection ended")

    def is_alive(self, stream=9_001):
        self.call(stream)
        self.send(DataFrame(stream, b"\0\0\0\0\1x", flags=["END_STREAM"]))
        fields, _ = self.fields(stream)
        return fields.get("grpc-status") == "0"


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def flood(client, make, count, batch=100):
    """Sends frames as long as the server takes them; the code of the GOAWAY that ends it."""
    try:
        for _ in range(0, count, batch):
            client.write(b"".join(make() for _ in range(batch)))
        client.send(PingFrame(0, b"12345678"))
    except Closed:
        pass
    return client.until_closed()


def rapid_reset():
    client, stream = Client(), [-1]

    def pair():
        stream[0] += 2
        return (HeadersFrame(stream[0], client.head(), flags=["END_HEADERS"]).serialize()
                + RstStreamFrame(stream[0], CANCEL).serialize())

    code = flood(client, pair, 2_000 * many)
    expect(code is not None and code != NO_ERROR, f"GOAWAY with an error, not {code}")


def continuation_flood():
    client = Client()
    head = client.head()
    client.write(HeadersFrame(1, head).serialize())
    code = flood(client, lambda: ContinuationFrame(1, b"").serialize(), 1_000 * many)
    expect(code != NO_ERROR, f"GOAWAY with an error, not {code}")


def ping_flood():
    code = flood(Client(), lambda: PingFrame(0, b"abcdefgh").serialize(), 2_000 * many)
    expect(code in (CALM, None), f"ENHANCE_YOUR_CALM, not {code}")


def settings_flood():
    code = flood(Client(), lambda: SettingsFrame(0, settings={4: 70_000}).serialize(), 2_000 * many)
    expect(code in (CALM, None), f"ENHANCE_YOUR_CALM, not {code}")


def priority_flood():
    code = flood(
        Client(), lambda: PriorityFrame(3, depends_on=1, stream_weight=5).serialize(), 2_000 * many)
    expect(code in (CALM, None), f"ENHANCE_YOUR_CALM, not {code}")


def empty_data_flood():
    client = Client()
    client.call(1, "/test.Echo/Count")
    code = flood(client, lambda: DataFrame(1, b"").serialize(), 2_000 * many)
    expect(code in (CALM, None), f"ENHANCE_YOUR_CALM, not {code}")


def unknown_frames():
    client = Client()
    client.write(struct.pack(">I", 3)[1:] + b"\xfa\0" + struct.pack(">I", 0) + b"abc")
    for _ in range(2_000 * many):
        client.write(b"\0\0\0\xfa\0\0\0\0\0")
    expect(client.is_alive(), "unknown frame types are ignored")


def zero_window_slow_read():
    client = Client(settings={4: 0})
    client.call(1, "/test.Echo/Repeat")
    client.send(DataFrame(1, b"\0\0\0\x10\1\x40" + b"z" * 4096, flags=["END_STREAM"]))
    fields, code = client.fields(1, 20 * patience)
    expect(code is not None, "the stream is reset when nothing is taken for long")
    expect(client.is_alive(3) is not None, "the connection goes on")


def reads_nothing():
    # Opens the windows wide and lets the socket fill up.
    client = Client(settings={4: 2**31 - 1})
    client.send(WindowUpdateFrame(0, 2**31 - 1 - 65_535))
    client.call(1, "/test.Echo/Repeat")
    message = b"z" * (60 << 10)
    client.send(*[DataFrame(1, part) for part in (b"\0" + struct.pack(">I", len(message) + 1) + b"\xff", message[:16000], message[16000:32000], message[32000:48000])],
                DataFrame(1, message[48000:], flags=["END_STREAM"]))
    # The server resets the connection, which is seen without reading.
    poll = select.poll()
    poll.register(client.socket, 0)
    expect(poll.poll(60_000 * patience), "the connection is reset")


def bad_hpack():
    client = Client()
    client.send(HeadersFrame(1, b"\xff\xff\xff\xff\xff\xff\xff\xff", flags=["END_HEADERS"]))
    expect(client.until_closed() == COMPRESSION, "COMPRESSION_ERROR")


def hpack_bomb():
    client = Client()
    client.call(1, extra=[("x-filler", "f" * 3_000)])
    block = hpack.Encoder().encode([(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")])
    # Index 63 is the entry of the dynamic table before :authority's: the filler.
    client.send(HeadersFrame(3, block + b"\xbf" * 14_000, flags=["END_HEADERS", "END_STREAM"]))
    code = client.until_closed()
    expect(code is not None and code != NO_ERROR, f"GOAWAY with an error, not {code}")


def long_headers():
    client = Client()
    client.send(HeadersFrame(1, client.encoder.encode(
        [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
        + [(f"x-{n}", "v" * 200) for n in range(45)]), flags=[]))
    client.send(ContinuationFrame(1, client.encoder.encode([(f"y-{n}", "v" * 200) for n in range(45)]), flags=["END_HEADERS"]))
    fields, _ = client.fields(1)
    expect(fields.get(":status") == "431", f"431, not {fields}")
    expect(client.is_alive(3), "the connection goes on")


def wrong_content_type():
    client = Client()
    client.call(1, kind="text/html", ends=True)
    fields, _ = client.fields(1)
    expect(fields.get(":status") == "415", f"415, not {fields}")
    expect(client.is_alive(3), "the connection goes on")


def long_prefix():
    client = Client()
    client.call(1)
    client.send(DataFrame(1, b"\0\xff\xff\xff\xff" + b"a" * 100))
    fields, _ = client.fields(1)
    expect(fields.get("grpc-status") == "8", f"RESOURCE_EXHAUSTED, not {fields}")
    expect(client.is_alive(3), "the connection goes on")


def half_open_handshakes():
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(100 * many)]
    for place, one in enumerate(sockets):
        one.sendall([b"", b"\x16\x03\x01\x02\x00\x01", b"\x16"][place % 3])
    start = time.monotonic()
    for one in sockets:
        one.settimeout(20 * patience)
        try:
            expect(one.recv(100) == b"", "the server closes")
        except ConnectionResetError:
            pass
    expect(time.monotonic() - start < 10 * patience, "in time")


def garbage():
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000, b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000):
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.settimeout(20)
            try:
                one.sendall(data)
                while one.recv(1000):
                    pass
            except OSError:
                pass


def no_protocol():
    context = ssl.create_default_context(cafile=authority)
    for protocols in ([], ["http/1.1"]):
        if protocols:
            context.set_alpn_protocols(protocols)
        try:
            with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as one:
                one.settimeout(20)
                expect(one.recv(100) == b"", "no HTTP/2, no connection")
        except (ssl.SSLError, ConnectionResetError):
            pass


def no_settings():
    client = Client(hello=False)
    start = time.monotonic()
    client.until_closed(20 * patience)
    expect(time.monotonic() - start < 10 * patience, "in time")


def bad_preface():
    client = Client(preface=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    client.until_closed()


def slow_headers():
    client = Client()
    client.send(HeadersFrame(1, client.head()))
    start = time.monotonic()
    client.until_closed(20 * patience)
    expect(time.monotonic() - start < 10 * patience, "in time")


def slow_body():
    client = Client()
    client.call(1, "/test.Echo/Count")
    client.send(DataFrame(1, b"\0\0\0\1\0abc"))
    fields, _ = client.fields(1, 20 * patience)
    expect(fields.get("grpc-status") == "14", f"UNAVAILABLE, not {fields}")
    expect(client.is_alive(3), "the connection goes on")


def large_frame():
    client = Client()
    client.write(struct.pack(">I", 1 << 20)[1:] + b"\0\0" + struct.pack(">I", 1) + b"a" * 100)
    expect(client.until_closed() == SIZE, "FRAME_SIZE_ERROR")


def window_overflow():
    client = Client()
    client.send(WindowUpdateFrame(0, 2**31 - 1))
    expect(client.until_closed() == FLOW, "FLOW_CONTROL_ERROR")


def idle_stream():
    client = Client()
    client.send(DataFrame(7, b"abc"))
    expect(client.until_closed() == PROTOCOL, "PROTOCOL_ERROR")


def even_stream():
    client = Client()
    client.call(2)
    expect(client.until_closed() == PROTOCOL, "PROTOCOL_ERROR")


def beyond_the_window():
    client = Client()
    client.call(1, "/test.Echo/Hold")
    for _ in range(20):
        client.send(DataFrame(1, b"\0" * 16_000))
    _, code = client.fields(1)
    expect(code == FLOW, f"FLOW_CONTROL_ERROR, not {code}")
    expect(client.is_alive(3), "the connection goes on")


def too_many_streams():
    client = Client()
    for stream in range(1, 61, 2):
        client.call(stream, "/test.Echo/Count")
    refused = set()
    for frame in client.frames():
        if isinstance(frame, RstStreamFrame) and frame.error_code == REFUSED:
            refused.add(frame.stream_id)
        if len(refused) == 14:
            break
    expect(min(refused) == 33, "16 streams and no more")


attacks = [
    rapid_reset, continuation_flood, ping_flood, settings_flood, priority_flood, empty_data_flood, unknown_frames,
    zero_window_slow_read, reads_nothing, bad_hpack, hpack_bomb, long_headers, wrong_content_type, long_prefix,
    half_open_handshakes, garbage, no_protocol, no_settings, bad_preface, slow_headers, slow_body, large_frame,
    window_overflow, idle_stream, even_stream, beyond_the_window, too_many_streams]


def attempt(attack):
    start = time.monotonic()
    try:
        for _ in range(5 if extent == "all" else 1):
            attack()
        return True, f"{attack.__name__}: held ({time.monotonic() - start:.1f} s)"
    except Exception as error:
        return False, f"{attack.__name__}: FAILED: {type(error).__name__}: {error}"


with concurrent.futures.ThreadPoolExecutor(len(attacks)) as pool:
    results = list(pool.map(attempt, attacks))
for _, line in results:
    print(line)
sys.exit(0 if all(held for held, _ in results) else 1)
