"""What the platform tells its operators: logs, metrics, correlation."""
