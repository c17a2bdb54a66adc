"""How an Example becomes Requests, and how an answer is read."""
