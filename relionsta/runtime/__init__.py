"""A private RELION 5.1 for machines that have none (CPU and MPI, from Debian's own packages)."""
