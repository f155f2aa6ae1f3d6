"""Values and shapes that every stage shares; imports nothing of ours but errors."""
