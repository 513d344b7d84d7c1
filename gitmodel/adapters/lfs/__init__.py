"""Git LFS objects: the local store, how files get in and out, and the transfers."""
