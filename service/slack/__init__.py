"""kerasdoctor in Slack."""
