"""The door for software agents: a server of the Model Context Protocol, https://modelcontextprotocol.io

Its tools call the same use cases as the API, for the holder of the same token. It needs the extra `mcp`, and is
imported only by the command `mcp`.
"""
