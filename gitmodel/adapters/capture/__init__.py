"""What was around a training run: its code, its software, its data."""
