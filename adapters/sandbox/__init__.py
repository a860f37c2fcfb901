"""The embedded world: database servers, an exchange, an identity provider, seed data."""
