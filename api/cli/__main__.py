"""`python -m api.cli` is `nrm`."""

from api.cli import main

main()
