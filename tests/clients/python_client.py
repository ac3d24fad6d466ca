"""What the Python SDK makes of a server: python_client.py TRANSPORT MODE TARGET..., one JSON object on stdout."""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client


async def play(client):
    found = {}
    listed = await client.list_tools()
    found["list"] = len(listed.tools)

    # A sync that is cancelled as soon as it tells of a step.
    heard, steps = asyncio.Event(), []

    async def on_step(progress, total, message):
        steps.append(progress)
        heard.set()

    call = asyncio.create_task(client.call_tool("sync_now", {"wait_seconds": 50}, progress_callback=on_step))
    await asyncio.wait_for(heard.wait(), 30)
    call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        pass
    # What was cancelled ends at the next page; until then another sync is refused.
    begun = asyncio.get_running_loop().time()
    again = True
    while again and asyncio.get_running_loop().time() - begun < 20:
        await asyncio.sleep(0.2)
        steps.clear()
        result = await client.call_tool("sync_now", {"source": "demo-lunary"}, progress_callback=on_step)
        again = result.is_error
    found["cancel"] = not again
    found["progress"] = len(steps)

    calls = [("list_sources", {}), ("list_prompt_runs", {"limit": 3}), ("brand_summary", {})]
    results = [await client.call_tool(name, arguments) for name, arguments in calls]
    found["calls"] = sum(not result.is_error and result.structured_content is not None for result in results)
    refused = await client.call_tool("list_prompt_runs", {"limit": 1000})
    found["error"] = refused.is_error and "limit" in refused.content[0].text
    return found


async def main():
    transport, mode, *target = sys.argv[1:]
    if transport == "stdio":
        server = StdioServerParameters(command=target[0], args=target[1:])
    elif transport == "sse":
        server = sse_client(target[0] + "/sse")
    else:
        server = target[0] + "/mcp"
    async with Client(server, mode=mode) as client:
        found = await play(client)
        found["version"] = str(client.protocol_version)
    print(json.dumps(found))


asyncio.run(asyncio.wait_for(main(), 120))
