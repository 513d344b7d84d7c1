"""The outside world: git, LFS, keys, the machine. Adapters do not know each other."""
