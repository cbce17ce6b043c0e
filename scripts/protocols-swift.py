#!/usr/bin/env python3
# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Makes Swift values of the messages in protocols/, over the C structs that protoc-c makes of them.

  scripts/protocols-swift.py PROTOCOLS OUTPUT

Called by scripts/protocols.
"""
import re
import sys
from pathlib import Path

from protofile import Enum, Message, OneOf, Parser

SCALARS = {
    "uint32": "UInt32", "uint64": "UInt64", "int32": "Int32", "int64": "Int64", "bool": "Bool",
    "float": "Float", "double": "Double", "string": "String", "bytes": "[UInt8]",
}
DEFAULTS = {"Bool": "false", "String": '""', "[UInt8]": "[]"}
KEYWORDS = set("""associatedtype break case catch class continue default defer deinit do else enum extension fallthrough
    false fileprivate for func guard if import in init inout internal is let nil operator private protocol public
    repeat rethrows return self static struct subscript super switch throw throws true try typealias var where
    while""".split())


def camel(name, upper=False):
    words = name.lower().split("_")
    text = words[0] + "".join(word.capitalize() for word in words[1:])
    return text[:1].upper() + text[1:] if upper else text


def escaped(name):
    return f"`{name}`" if name in KEYWORDS else name


def snake(name):
    """As protoc-c does: an underscore before a capital that follows a small letter or precedes one."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def path_of(type):
    return ([] if type.parent is None else path_of(type.parent)) + [type.name]


class Writer:
    def __init__(self, files):
        self.types = {}  # the path within its package, joined by dots -> (type, package)
        for file in files:
            self.enter(file.types, file.package)
        self.recursive = {name for name in self.types if name in self.reachable(name)}

    def enter(self, types, package):
        for type in types:
            name = ".".join(path_of(type))
            if name in self.types:
                sys.exit(f"two types are called {name}; Swift has one namespace for all packages")
            self.types[name] = (type, package)
            if isinstance(type, Message):
                self.enter(type.nested, package)

    def resolve(self, name, scope):
        """The full path of a type that is called `name` inside of `scope`."""
        path = path_of(scope) if scope else []
        for depth in range(len(path), -1, -1):
            candidate = ".".join(path[:depth] + [name])
            if candidate in self.types:
                return candidate
        sys.exit(f"there is no type {name}")

    def reachable(self, name):
        """Messages that one has inside of it, other than in arrays."""
        seen, open = set(), [name]
        while open:
            message = self.types[open.pop()][0]
            if isinstance(message, Enum):
                continue
            for member in message.members:
                for each in member.fields if isinstance(member, OneOf) else [member]:
                    if each.type in SCALARS or each.label:
                        continue
                    found = self.resolve(each.type, message)
                    if found not in seen:
                        seen.add(found)
                        open.append(found)
        return seen

    def c_type(self, name):
        package = "__".join(camel(part, True) for part in self.types[name][1].split("."))
        return package + "__" + name.replace(".", "__")

    def c_function(self, name):
        return self.types[name][1].replace(".", "__") + "__" + "__".join(snake(p) for p in name.split("."))

    def swift_type(self, each, scope):
        base = SCALARS.get(each.type) or "Proto." + self.resolve(each.type, scope)
        if each.label == "repeated":
            return f"[{base}]"
        return f"[String: {base}]" if each.label == "map" else base

    def is_message(self, each, scope):
        return each.type not in SCALARS and isinstance(self.types[self.resolve(each.type, scope)][0], Message)

    def default(self, each, scope):
        type = self.swift_type(each, scope)
        if each.label:
            return "[:]" if each.label == "map" else "[]"
        if each.type in SCALARS:
            return DEFAULTS.get(type, "0")
        return "nil" if self.is_message(each, scope) else f"{type}(rawValue: 0)"

    def enum(self, enum, indent):
        prefix = snake(enum.name).upper() + "_"
        lines = [f"package struct {enum.name}: RawRepresentable, Hashable, Sendable {{",
                 "  package let rawValue: Int32", "",
                 "  package init(rawValue: Int32) { self.rawValue = rawValue }", ""]
        for name, number, doc in enum.values:
            lines += [f"  /// {line}" for line in doc]
            lines.append(f"  package static let {escaped(camel(name.removeprefix(prefix)))} = "
                         f"{enum.name}(rawValue: {number})")
        return self.indented(enum.doc, lines + ["}"], indent)

    @staticmethod
    def indented(doc, lines, indent):
        return [(indent + line).rstrip() for line in [f"/// {text}".rstrip() for text in doc] + lines]

    def value(self, message):
        """The Swift struct."""
        name = ".".join(path_of(message))
        lines = [f"package struct {message.name}: Hashable, Sendable {{"]
        for nested in message.nested:
            lines += (self.enum(nested, "  ") if isinstance(nested, Enum) else self.value(nested)) + [""]
        for member in message.members:
            if isinstance(member, OneOf):
                indirect = "indirect " if name in self.recursive else ""
                lines.append(f"  package {indirect}enum {camel(member.name, True)}: Hashable, Sendable {{")
                for each in member.fields:
                    lines += [f"    /// {line}" for line in each.doc]
                    lines.append(f"    case {escaped(camel(each.name))}({self.swift_type(each, message)})")
                lines += ["  }", ""]
        for member in message.members:
            lines += [f"  /// {line}" for line in member.doc]
            if isinstance(member, OneOf):
                lines.append(f"  package var {escaped(camel(member.name))}: {camel(member.name, True)}? = nil")
            else:
                type, default = self.swift_type(member, message), self.default(member, message)
                lines.append(f"  package var {escaped(camel(member.name))}: {type}"
                             f"{'?' if default == 'nil' else ''} = {default}")
        lines += [""] * bool(message.members) + ["  package init() {}", "}"]
        return self.indented(message.doc, lines, "" if message.parent is None else "  ")

    def fill(self, each, value, scope):
        """Lines that set the C field to `value`."""
        at = f"c.pointee.{each.name}"
        if each.label == "map":
            entry = self.entry(each, scope)
            to = "arena.string($1.value)" if each.type == "string" else "$1.value"
            return [f"(c.pointee.n_{each.name}, {at}) = arena.entries(",
                    f"  {value}, {self.c_function_of_entry(each, scope)}__init) {{ (c: UnsafeMutablePointer<{entry}>, "
                    "pair) in", "  c.pointee.key = arena.string(pair.key)",
                    f"  c.pointee.value = {to.replace('$1', 'pair')}", "}"]
        if each.label:
            verb = "messages" if self.is_message(each, scope) else {
                "string": "strings", "bytes": "blobs"}.get(each.type, "numbers")
            if verb == "numbers" and each.type not in SCALARS:
                value = f"{value}.map {{ .init(rawValue: UInt32(bitPattern: $0.rawValue)) }}"
            return [f"(c.pointee.n_{each.name}, {at}) = arena.{verb}({value})"]
        if each.type in ("string", "bytes"):
            return [f"{at} = arena.{each.type}({value})"]
        if each.type == "bool":
            return [f"{at} = {value} ? 1 : 0"]
        if each.type in SCALARS:
            return [f"{at} = {value}"]
        if self.is_message(each, scope):
            return [f"{at} = arena.message({value})"]
        return [f"{at} = .init(rawValue: UInt32(bitPattern: {value}.rawValue))"]

    def entry(self, each, scope):
        return self.c_type(".".join(path_of(scope))) + f"__{camel(each.name, True)}Entry"

    def c_function_of_entry(self, each, scope):
        return self.c_function(".".join(path_of(scope))) + f"__{each.name}_entry"

    def read(self, each, scope):
        """An expression that has the field's Swift value."""
        at, count = f"c.pointee.{each.name}", f"c.pointee.n_{each.name}"
        if each.label == "map":
            value = "copied(string: $0.pointee.value)" if each.type == "string" else "$0.pointee.value"
            return (f"try copied({count}, {at}) {{ (e) throws(WireError) in "
                    f"(try copied(string: e.pointee.key), {'try ' if each.type == 'string' else ''}"
                    f"{value.replace('$0', 'e')}) }}")
        type = self.swift_type(each, scope)
        if each.label:
            verb = "messages" if self.is_message(each, scope) else {
                "string": "strings", "bytes": "blobs"}.get(each.type, "numbers")
            text = f"copied({verb}: {count}, {at})"
            if verb == "numbers" and each.type not in SCALARS:
                text += ".map { .init(rawValue: Int32(bitPattern: $0.rawValue)) }"
            return ("try " if verb in ("messages", "strings") else "") + text
        if each.type == "string":
            return f"try copied(string: {at})"
        if each.type == "bytes":
            return f"copied(bytes: {at})"
        if each.type == "bool":
            return f"{at} != 0"
        if each.type in SCALARS:
            return at
        if self.is_message(each, scope):
            return f"try copied(message: {at})"
        return f"{type}(rawValue: Int32(bitPattern: {at}.rawValue))"

    def coding(self, message):
        """What makes the struct a CMessage."""
        name = ".".join(path_of(message))
        fill, read = [], []
        for member in message.members:
            variable = escaped(camel(member.name))
            if isinstance(member, OneOf):
                fill += [f"switch {variable} {{", "case nil: break"]
                read += [f"switch c.pointee.{member.name}_case.rawValue {{"]
                for each in member.fields:
                    case = escaped(camel(each.name))
                    fill += [f"case .{case}(let value):",
                             f"  c.pointee.{member.name}_case = .init(rawValue: {each.number})"]
                    fill += ["  " + line for line in self.fill(each, "value", message)]
                    value = self.read(each, message)
                    prefix, value = ("try ", value[4:]) if value.startswith("try ") else ("", value)
                    # What a oneof names is there.
                    value = value.replace("copied(message:", "copied(present:")
                    read.append(f"case {each.number}: self.{member.name} = {prefix}.{case}({value})"
                                .replace(f"self.{member.name}", variable))
                fill.append("}")
                read += [f"default: {variable} = nil", "}"]
            elif self.is_message(member, message) and not member.label:
                fill += [f"if let value = {variable} {{"] + [
                    "  " + line for line in self.fill(member, "value", message)] + ["}"]
                read.append(f"{variable} = {self.read(member, message)}")
            else:
                fill += self.fill(member, variable, message)
                read.append(f"{variable} = {self.read(member, message)}")
        c = self.c_type(name)
        lines = [f"extension Proto.{name}: CMessage {{",
                 f"  static func initialize(_ c: UnsafeMutablePointer<{c}>) {{ {self.c_function(name)}__init(c) }}",
                 "", f"  func fill(_ c: UnsafeMutablePointer<{c}>, _ arena: MessageArena) {{"]
        lines += ["    " + line for line in fill]
        lines += ["  }", "", f"  init(copying c: UnsafePointer<{c}>) throws(WireError) {{"]
        lines += ["    " + line for line in read]
        lines += ["  }", "", "  package func encoded() -> [UInt8] { packed() }", "",
                  "  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {",
                  "    self = try Self.unpacked(bytes)", "  }", "}", ""]
        for nested in message.nested:
            lines += [] if isinstance(nested, Enum) else self.coding(nested)
        return lines

    def service(self, service, package):
        name, doc, calls = service
        lines = [f"package enum {name}Methods {{"]
        for call, request, reply, streams, call_doc in calls:
            kind = {(False, False): "unary", (False, True): "serverStreaming",
                    (True, False): "clientStreaming", (True, True): "streaming"}[tuple(streams)]
            lines += [f"  /// {line}" for line in call_doc]
            lines += [f"  package static let {escaped(call[0].lower() + call[1:])} = "
                      f"Method<Proto.{self.resolve(request, None)}, Proto.{self.resolve(reply, None)}>(",
                      f'    "/{package}.{name}/{call}", .{kind})']
        lines += ["", "  /// The paths of all calls.", "  package static let paths = ["]
        lines += [f'    "/{package}.{name}/{call}",' for call, *_ in calls]
        return self.indented(doc, lines + ["  ]", "}", ""], "")

    def file(self, file):
        lines = ["// Apus, federated learning in Swift.", "// SPDX-License-Identifier: Apache-2.0", "//",
                 f"// Made from protocols/{file.path} by scripts/protocols; not to be edited.",
                 "// swift-format-ignore-file", "", "internal import ApusProtocols", ""]
        for type in file.types:
            lines.append("extension Proto {")
            lines += ["  " + line if line else "" for line in (
                self.enum(type, "") if isinstance(type, Enum) else self.value(type))]
            lines += ["}", ""]
        for type in file.types:
            lines += [] if isinstance(type, Enum) else self.coding(type)
        for service in file.services:
            lines += self.service(service, file.package)
        return "\n".join(lines).rstrip("\n") + "\n"


def listed(writer):
    """A file that names all messages, for tests that go through them."""
    names = sorted(name for name, (type, _) in writer.types.items() if isinstance(type, Message))
    lines = ["// Apus, federated learning in Swift.", "// SPDX-License-Identifier: Apache-2.0", "//",
             "// Made from protocols/ by scripts/protocols; not to be edited.", "// swift-format-ignore-file", "",
             "extension Proto {", "  /// Every message.", "  static let messages: [any CMessage.Type] = ["]
    lines += [f"    Proto.{name}.self," for name in names]
    return "\n".join(lines + ["  ]", "}", ""])


def main():
    home, output = Path(sys.argv[1]), Path(sys.argv[2])
    files = [Parser(path.read_text(), path.relative_to(home).as_posix()).parse()
             for path in sorted(home.rglob("*.proto"))]
    writer = Writer(files)
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        name = file.path.removesuffix(".proto").replace("/", "_")
        (output / f"{name}.swift").write_text(writer.file(file))
    (output / "messages.swift").write_text(listed(writer))


if __name__ == "__main__":
    main()
