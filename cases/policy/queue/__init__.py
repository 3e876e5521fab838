"""The rules of the queue of calls and chats (section 10). Pure."""
