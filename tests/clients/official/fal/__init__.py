"""The clients of fal: the newest and an old one for Python, and the one for JavaScript through the proxy."""
