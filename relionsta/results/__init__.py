"""What a job folder says: iterations, resolution, classes, progress, failures, maps. Pure: no Scipion, no display."""
