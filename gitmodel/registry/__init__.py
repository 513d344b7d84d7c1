"""The registry: a git repository, seen as models, versions, stages and a log."""
