"""Servers of tests that speak the documented APIs of products over real HTTP, with faults on demand."""
