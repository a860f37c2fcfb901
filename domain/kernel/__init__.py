"""Words every domain may use: identifiers, time, policies, errors. Imports nothing of ours."""
