"""The main job, and the whole tutorial, in a Scipion project: an AreTomo3 folder in, a post-processed map out."""
