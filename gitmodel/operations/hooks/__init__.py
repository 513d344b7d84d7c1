"""What git asks before it lets a commit or a push through, one module per hook."""
