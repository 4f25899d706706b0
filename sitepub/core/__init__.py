"""Pure decisions: no disk, network, clock, environment, subprocess or printing in here."""
