"""Tells others of events: by HTTP, by mail, by a program, into a file."""
