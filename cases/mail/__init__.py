"""Outgoing mail: every message (`messages`), its facts (`letters`), its look (`rendering`), its delivery (`outbox`)."""
