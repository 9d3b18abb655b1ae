"""`python -m orchestrator`: the same as the console script."""

import sys

from orchestrator.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
