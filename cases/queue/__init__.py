"""The queue: calls and chats that wait for a technician (D7, section 10)."""
