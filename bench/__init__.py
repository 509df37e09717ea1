"""Measures fontkeep against PyTorch, safetensors and the bare disk; scripts/bench runs it."""
