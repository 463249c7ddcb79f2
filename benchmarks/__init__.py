"""Measures ratios to a yardstick of the same run on the same server, because machine speed varies. See docs/benchmarks.md."""
