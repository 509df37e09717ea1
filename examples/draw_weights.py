#!/usr/bin/python3
"""Draws a run's weights with PyTorch alone: no fontkeep, and so no check.

draw_weights.py WEIGHTS SHEET.png
"""

import sys

import torch

from glyph_network import GlyphNetwork, contact_sheet, draw_glyphs


def main(weights: str, sheet: str) -> None:
    checkpoint = torch.load(weights)
    state = checkpoint["model"]["network"]
    network = GlyphNetwork.from_architecture(checkpoint["architecture"])
    network.load_state_dict(state)
    contact_sheet(draw_glyphs(network, checkpoint["personality_vector"])).save(sheet)
    largest = max(tensor.abs().max().item() for tensor in state.values())
    print(f"torch.load did not complain; largest weight {largest:.4g}; drawn to {sheet}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
