"""Mail that came in: what becomes of a message, and what a case keeps of its words (M5 to M7)."""
