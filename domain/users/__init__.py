"""Users: who somebody is to us, how they sign in, what they set, what happened on their account."""
