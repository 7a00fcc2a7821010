"""The official clients of OpenAI."""
