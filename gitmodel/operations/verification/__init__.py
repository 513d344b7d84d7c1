"""The parts of verification: each asks one kind of question and reports problems."""
