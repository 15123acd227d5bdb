"""`python -m graphmap`."""

import sys

from graphmap.cli.app import main

sys.exit(main())
