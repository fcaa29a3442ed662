"""The meeting place of all stages: frozen data, and the arithmetic that belongs to it."""
