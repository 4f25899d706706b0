"""The local edge: disk, git, child processes."""
