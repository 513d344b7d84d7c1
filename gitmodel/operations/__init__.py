"""What gitmodel can do: one module per verb.

An operation takes an open registry and values, and returns a frozen result. It
never prints, prompts, reads the environment or exits.
"""
