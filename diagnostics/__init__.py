"""What a model or a machine tells: readers, probes, the doctor."""
