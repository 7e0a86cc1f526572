"""What we know: entries, the parser of pasted text, the matcher. No web, no TensorFlow."""
