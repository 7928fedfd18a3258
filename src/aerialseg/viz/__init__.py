"""Drawing with arrays: coloured masks, sheets of images, legends, confusion matrices."""
