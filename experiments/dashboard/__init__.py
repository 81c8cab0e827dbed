"""A live page over the store, for runs that are going on."""
