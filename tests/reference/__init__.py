"""Slow, obvious implementations in plain Python, against which the engine's answers are held."""
