"""Files and programs for deployments. They import nothing of the product, which may have no settings yet."""
