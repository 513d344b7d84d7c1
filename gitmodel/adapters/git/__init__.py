"""Git, as gitmodel uses it: plumbing in bulk, GitPython for the porcelain.

``process`` starts git with a clean environment; ``repository`` finds one;
``objects``, ``trees`` and ``pack`` read and write objects without a process per
object; ``commits`` makes signed commits; ``worktree`` keeps the user's files
and index in step; ``history`` reads the first-parent line; ``porcelain`` is the
rest: new repositories, configuration, fetch and push.
"""
