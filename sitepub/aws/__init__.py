"""The AWS edge: the only room that knows boto3 and obstore."""
