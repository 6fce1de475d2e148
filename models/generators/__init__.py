"""Generator networks, and the way from image seeds through a latent to uint8 images."""
