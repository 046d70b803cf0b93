"""Ratios of turns, their medians, and what the medians have to be."""
import statistics
from dataclasses import dataclass


@dataclass
class Row:
    """One line of the verdict. `lower` tells that less is better."""

    name: str
    values: list
    floor: float
    aim: float
    unit: str = "x"
    lower: bool = False

    @property
    def median(self):
        return statistics.median(self.values)

    def reaches(self, bound):
        return self.median <= bound if self.lower else self.median >= bound

    @property
    def verdict(self):
        if self.reaches(self.aim):
            return "aim"
        return "floor" if self.reaches(self.floor) else "BELOW"

    def line(self):
        def number(value):
            return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
        turns = " ".join(number(value) for value in self.values)
        bounds = f"{number(self.floor)} / {number(self.aim)} {self.unit}"
        return f"{self.name:<66}{number(self.median):>8} {self.unit:<3} {bounds:<18}{self.verdict:<7}({turns})"


def show(rows, notes):
    """The whole table. Returns whether every floor is reached."""
    print(f"\n{'in this run':<66}{'median':>8}     {'floor / aim':<18}{'':<7}(turns)")
    for row in rows:
        print(row.line())
    for note in notes:
        print(note)
    return all(row.verdict != "BELOW" for row in rows)
