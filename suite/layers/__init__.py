"""The custom Keras layers, one family a file, equations in the docstring."""
