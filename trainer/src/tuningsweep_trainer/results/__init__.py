"""What survives a crash: the ledger of trials and their checkpoints."""
