"""What a server asks of a push, one kind of rule in each module."""
