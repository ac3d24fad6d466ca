//! The MCP side: the Tool trait, the registry, the adapter to rmcp, the server.
