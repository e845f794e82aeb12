"""The doors: the chat page and the command line."""
