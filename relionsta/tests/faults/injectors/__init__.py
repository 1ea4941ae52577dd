"""The tools that do the harm; each file does one kind of it."""
