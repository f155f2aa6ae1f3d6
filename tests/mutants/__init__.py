"""Laws broken on purpose: `python -m tests.mutants.run` sees each of them caught by its test."""
