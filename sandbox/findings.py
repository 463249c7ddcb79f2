"""Rows of one class in a verification: how many, and the first of them as text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Finding:
    """The number of rows of one class, and the first of them as text."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, text: str, keep: int) -> None:
        """Count one row; keep its text if fewer than ``keep`` are kept."""
        self.count += 1
        if len(self.samples) < keep:
            self.samples.append(text)
