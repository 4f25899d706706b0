"""What `up` wants in AWS, what stands there, and the plan that leads from one to the other or takes it all away. Pure."""
