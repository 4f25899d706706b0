"""sitepub publishes a built static site to a folder or to S3 behind CloudFront."""

__version__ = "0.1.0"
