"""The OpenAI chat protocol: requests out, replies in."""
