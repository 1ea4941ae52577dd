"""Figures of results, drawn with or without a display; no pyplot, no Scipion."""
