"""What one domain asks of another: in-process today, a network client when a service is split."""
