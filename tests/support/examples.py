"""How many examples Hypothesis tries: all of them in CI, a fifth on a developer's machine."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

IN_CI = bool(os.environ.get("CI"))


def examples(number: int, **other: Any) -> settings:
    """Settings of a property that tries this many examples in CI."""
    return settings(max_examples=number if IN_CI else max(number // 5, 20), **other)
