"""`python -m api.demo`: make the demonstration where it is missing, then serve it until Ctrl-C."""

from __future__ import annotations

import os
import sys

from api.demo.running import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
