"""Mail of the desk: what a message says (`letters`), how it looks (`rendering`), how it leaves (`outbox`)."""
