"""Speed, side by side: the suite's layers against `keras.layers`, `torch.nn` and a JAX scan, each in a process of its own."""
