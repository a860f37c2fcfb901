"""What `./dev` does. Standard library only: most of it runs before anything is installed."""
