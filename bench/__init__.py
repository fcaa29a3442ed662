"""Benchmarks: what dashgen and its peers take on the same work, each with the bar that it has to reach."""
