"""`genpulse comfyui`: workflows of ComfyUI as models."""
