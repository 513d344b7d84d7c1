"""Keys, identities and signatures, in process: no agent, no ``ssh-keygen``.

``public_key`` verifies; ``keys`` keeps private keys in files; ``dsse`` signs and
verifies statements and models; ``commit`` signs and verifies git commits.
``keyless`` does for identities, through Sigstore, what keys do without it: only it and
``tokens`` go to a network, and only to sign.
"""
