"""What a branch would change if it were merged now, and whether that is legal."""
