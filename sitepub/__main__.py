"""`python -m sitepub` is the `sitepub` command."""

from sitepub.cli import main

main()
