"""OpenAI: images, videos, speech."""
