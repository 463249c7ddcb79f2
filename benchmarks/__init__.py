"""Measures, as ratios to a yardstick of the same run on the same server: these machines are noisy. See docs/benchmarks.md."""
