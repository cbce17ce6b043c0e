# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""The table that scripts/bench prints."""

from dataclasses import asdict, dataclass


@dataclass
class Row:
    work: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    # Theirs through ours: how many times as fast (or as small) we are.
    ratio: float | None = None
    # The least ratio.
    target: float | None = None
    share: str = ""
    # Another kind of target, in words, and whether it is met.
    limit: str = ""
    met: bool | None = None
    # Of ours and theirs.
    unit: str = "s"


class Table:
    def __init__(self):
        self.rows = []
        self.notes = []

    def add(self, row):
        if row.target and row.ratio is not None:
            row.limit, row.met = f">= {row.target}x", row.ratio >= row.target
        self.rows.append(row)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    @staticmethod
    def quantity(value, unit):
        if value is None:
            return ""
        if unit == "B":
            return f"{value / 1e6:.0f} MB"
        if value < 1e-3:
            return f"{value * 1e6:.1f} us"
        return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"

    def encoded(self):
        return [asdict(row) for row in self.rows]

    def text(self, machine, limits):
        head = ["work", "ours", "peer", "theirs", "ratio", "target", "", "share of the limit"]
        cells = [head]
        for row in self.rows:
            cells.append([
                row.work, self.quantity(row.ours, row.unit), row.peer,
                self.quantity(row.theirs, row.unit), f"{row.ratio:.2f}x" if row.ratio else "",
                row.limit, {True: "met", False: "MISSED", None: ""}[row.met], row.share,
            ])
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        right = {1, 3, 4}
        lines = [
            "  ".join(
                cell.rjust(width) if i in right else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in cells
        ]
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        rates = ", ".join(
            f"{name} {rate:.1f} {'GB/s' if name in ('triad', 'axpy') else 'GFLOP/s'}"
            for name, rate in limits.items() if rate)
        about = [
            f"machine: {machine['processor']}, {machine['cores']} cores, {machine['kernel']}",
            f"limits of one thread: {rates}",
            f"apus {machine['commit']}; {versions}",
        ]
        return "\n".join(about + [""] + lines + [""] * bool(self.notes) + self.notes)
