"""How many examples Hypothesis tries: all of them with EXAMPLES=all, as CI does once, else a fifth."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

ALL_EXAMPLES = os.environ.get("EXAMPLES", "all" if os.environ.get("CI") else "few") == "all"


def examples(number: int, **other: Any) -> settings:
    """Settings of a property that tries this many examples where all are wanted."""
    return settings(max_examples=number if ALL_EXAMPLES else max(number // 5, 20), **other)
