"""What the platform is made with: databases, the venue, the gateway, the sandbox world."""
