"""The job table's verbs: jobs are written in the transaction that wants them and go with their effects."""
