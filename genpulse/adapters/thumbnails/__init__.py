"""Small pictures of pictures and videos, made in processes of their own."""
