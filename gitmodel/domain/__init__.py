"""Values and rules of a model registry; no I/O, no clock, no library."""
