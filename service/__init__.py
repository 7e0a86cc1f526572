"""How people reach kerasdoctor over the network."""
