"""The job table's verbs: enqueue, cancel, claim, finish, fail."""
