"""The chat of the support page (P6): a queue entry whose lines are contacts of its case."""
