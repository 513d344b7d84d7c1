"""Keys and signatures, in process: no agent, no ``ssh-keygen``, no network.

``public_key`` verifies; ``keys`` keeps private keys in files; ``dsse`` signs and
verifies statements and models; ``commit`` signs and verifies git commits.
"""
