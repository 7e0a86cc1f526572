"""The kerasdoctor command."""
