"""Use case 4: supervision by DPO and log controllers. Every look at the log is on the log before it is shown."""
