"""The main job in a Scipion project: an AreTomo3 folder in, a post-processed map out."""
