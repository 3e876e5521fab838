"""The live board: the whole desk at one glance, on a screen that everybody sees (W4, W5)."""
