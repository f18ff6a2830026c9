"""``python -m archcheck`` is the command line."""

from archcheck.cli.main import main

main()
