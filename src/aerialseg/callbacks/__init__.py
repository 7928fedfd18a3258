"""What happens around training: checkpoints, progress, sample pictures, guards."""
