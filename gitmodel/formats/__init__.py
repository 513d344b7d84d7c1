"""Bytes and what they mean: YAML, JSON Schema, DSSE, SSHSIG. No I/O, no policy."""
