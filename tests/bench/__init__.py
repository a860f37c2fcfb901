"""Benchmarks: ours against rivals, in ratios, in one batch on one machine (decision 0027)."""
