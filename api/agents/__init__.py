"""Server for software agents, by the Model Context Protocol: https://modelcontextprotocol.io

Its tools call the same use cases as the API, for the holder of the same token. It needs the extra `mcp`, and is
imported only by the command `mcp`.
"""
