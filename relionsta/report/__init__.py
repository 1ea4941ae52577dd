"""One self-contained HTML file that tells what was done: for a run, the runs before it, or a whole project."""
