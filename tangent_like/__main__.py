"""`python -m tangent_like` is the command `tangent-like`."""

import sys

from tangent_like.cli import main

sys.exit(main())
