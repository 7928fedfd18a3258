"""Predicting images of any size in bounded memory: tile by tile, blended where tiles overlap."""
