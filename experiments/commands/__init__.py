"""The subcommands of ``cem``, by what people want; each imports what is heavy when it is called."""
