"""kerasdoctor: from a pasted Keras or TensorFlow failure to its cause, the evidence and a fix."""

__version__ = "0.4.0"
