"""The rules of a platform team, installed in every repository of the company."""
