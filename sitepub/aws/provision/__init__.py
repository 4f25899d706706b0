"""AWS's resources that `up` makes and `down` removes, a file each: found again by name and tag, made and changed and removed idempotently."""
