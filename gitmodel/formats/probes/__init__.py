"""What a file is, and what shape of model it holds, by its content alone.

- Nothing is ever unpickled, imported or run; headers are parsed, weights are not
  read. Cost is bounded by the limits in each module, whatever the file claims.
- A name or an extension proves nothing and is not looked at.
- A file that begins like a format but breaks its rules is ``opaque``, and the note
  says which rule. Registering it is a question of policy, not of parsing.
"""

from gitmodel.formats.probes.probe import Probe, architecture, identify, probe

__all__ = ["Probe", "architecture", "identify", "probe"]
