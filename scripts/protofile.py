# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Reads the part of the language of .proto files that protocols/ uses: messages, enums, oneofs, maps, services.

What it does not know (options, groups, extensions, reserved numbers) is an error, never skipped. Comments right
above a declaration belong to it.
"""
import re
import sys
from dataclasses import dataclass, field


@dataclass
class Field:
    name: str
    type: str  # as the .proto has it, or the map's value type
    number: int
    doc: list
    label: str = ""  # "", "repeated" or "map"


@dataclass
class OneOf:
    name: str
    doc: list
    fields: list = field(default_factory=list)


@dataclass
class Message:
    name: str
    doc: list
    parent: "Message" = None
    members: list = field(default_factory=list)  # fields and oneofs, in order
    nested: list = field(default_factory=list)  # enums and messages


@dataclass
class Enum:
    name: str
    doc: list
    parent: Message = None
    values: list = field(default_factory=list)  # (name, number, doc)


@dataclass
class File:
    path: str
    package: str = ""
    types: list = field(default_factory=list)
    services: list = field(default_factory=list)  # (name, doc, [(name, request, reply, streams, doc)])


class Parser:
    """Tokens in, a File out; comments go to what follows them."""

    TOKEN = re.compile(r'\s+|(//[^\n]*)|("[^"]*"|[A-Za-z_][\w.]*|\d+|[{}=;<>(),])')

    def __init__(self, text, path):
        self.tokens, self.file = [], File(path)
        at = line = 0
        while at < len(text):
            match = self.TOKEN.match(text, at)
            if not match:
                sys.exit(f"{path}: cannot read {text[at:at + 20]!r}")
            if match[1] is not None:
                self.tokens.append(("comment", match[1][2:].removeprefix(" ")))
            elif match[2]:
                self.tokens.append(("word", match[2]))
            elif match[0].count("\n") > 1:
                self.tokens.append(("gap", ""))
            at = match.end()
        self.at = 0

    def doc(self):
        """The comment right above what comes next; one that a blank line follows belongs to nothing."""
        lines = []
        while self.at < len(self.tokens) and self.tokens[self.at][0] != "word":
            kind, text = self.tokens[self.at]
            lines = [] if kind == "gap" else lines + [text]
            self.at += 1
        return lines

    def word(self, *expected):
        self.doc()
        found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end"
        if expected and found not in expected:
            sys.exit(f"{self.file.path}: {found!r} where one of {expected} is expected")
        self.at += 1
        return found

    def peek(self):
        self.doc()
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def parse(self):
        while True:
            doc = self.doc()
            if self.at == len(self.tokens):
                return self.file
            word = self.word()
            if word == "syntax":
                self.word("="), self.word('"proto3"'), self.word(";")
            elif word == "package":
                self.file.package = self.word()
                self.word(";")
            elif word == "import":
                self.word(), self.word(";")
            elif word == "message":
                self.file.types.append(self.message(doc, None))
            elif word == "enum":
                self.file.types.append(self.enum(doc, None))
            elif word == "service":
                self.file.services.append(self.service(doc))
            else:
                sys.exit(f"{self.file.path}: {word!r} is not in the part of the language that is known here")

    def message(self, doc, parent):
        message = Message(self.word(), doc, parent)
        self.word("{")
        while True:
            doc = self.doc()
            word = self.word()
            if word == "}":
                return message
            if word == "message":
                message.nested.append(self.message(doc, message))
            elif word == "enum":
                message.nested.append(self.enum(doc, message))
            elif word == "oneof":
                oneof = OneOf(self.word(), doc)
                self.word("{")
                while self.peek() != "}":
                    # peek skips comments: step back to the comment of this field.
                    self.rewind_comments()
                    doc = self.doc()
                    oneof.fields.append(self.field(self.word(), doc))
                self.word("}")
                message.members.append(oneof)
            else:
                message.members.append(self.field(word, doc))

    def rewind_comments(self):
        while self.tokens[self.at - 1][0] == "comment":
            self.at -= 1

    def field(self, word, doc):
        label = ""
        if word == "repeated":
            label, word = word, self.word()
        elif word == "map":
            label = word
            self.word("<"), self.word("string"), self.word(",")
            word = self.word()
            self.word(">")
        name = self.word()
        self.word("=")
        number = int(self.word())
        self.word(";")
        return Field(name, word, number, doc, label)

    def enum(self, doc, parent):
        enum = Enum(self.word(), doc, parent)
        self.word("{")
        while self.peek() != "}":
            self.rewind_comments()
            doc = self.doc()
            name = self.word()
            self.word("=")
            enum.values.append((name, int(self.word()), doc))
            self.word(";")
        self.word("}")
        return enum

    def service(self, doc):
        name, calls = self.word(), []
        self.word("{")
        while self.peek() != "}":
            self.rewind_comments()
            call_doc = self.doc()
            self.word("rpc")
            call, streams = self.word(), []
            types = []
            for keyword in ("returns", ";"):
                self.word("(")
                streams.append(self.peek() == "stream")
                if streams[-1]:
                    self.word()
                types.append(self.word())
                self.word(")"), self.word(keyword)
            calls.append((call, *types, streams, call_doc))
        self.word("}")
        return name, doc, calls
