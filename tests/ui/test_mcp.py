"""The official MCP client asks kabar, over HTTP and over standard input and output."""

import asyncio
import sys
from pathlib import Path

import pytest

from qa.answer import Answer

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from scripted import Scripted
from ui.loader import Loader
from ui.mcp_server import run_stdio
run_stdio(Loader(Scripted), None)
"""


def over_http(doors, use, token=None):
    """What ``use`` makes of a client that has signed in."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        headers = {"authorization": f"Bearer {token or doors.token}", "x-request-id": "mcp-0123"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http,
            Client(streamable_http_client(f"{doors.address}mcp", http_client=http)) as client,
        ):
            return await use(client)

    return asyncio.run(run())


def test_the_tools_over_http(doors):
    progress = []

    async def use(client):
        tools = (await client.list_tools()).tools

        async def note(done, total, message):
            progress.append(message)

        asked = await client.call_tool("ask", {"question": "when will Blinken arrive?"}, progress_callback=note)
        found = await client.call_tool("search_articles", {"query": "Blinken Seoul", "count": 1})
        read = await client.call_tool("read_article", {"article_id": "news/blinken.txt"})
        return tools, asked, found, read

    tools, asked, found, read = over_http(doors, use)
    assert {tool.name for tool in tools} == {"ask", "search_articles", "read_article"}
    assert all(tool.annotations.read_only_hint for tool in tools)
    answer = Answer.model_validate(asked.structured_content)
    assert answer.dates[0].value == "2023-11-08"
    assert answer.citations[0].quote in asked.content[0].text
    (hit,) = found.structured_content["hits"]
    assert hit["article"]["id"] == "news/blinken.txt"
    assert hit["passage"] in read.structured_content["text"]
    assert progress == ["understand", "retrieve"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask", {"question": "too long"}, "ask in at most 2000 characters"),
        ("ask", {"question": "broken"}, "it is logged as mcp-0123"),
        ("ask", {"question": ""}, "at least 1 character"),
        ("read_article", {"article_id": "../../etc/passwd"}, "no such article"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(doors, tool, arguments, said):
    result = over_http(doors, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    assert said in result.content[0].text
    assert "secret" not in result.content[0].text
    assert "Traceback" not in result.content[0].text


def test_over_http_one_has_to_sign_in(doors):
    with pytest.raises(BaseException, match=r"401|unhandled errors"):
        over_http(doors, lambda client: client.list_tools(), token="kabar_wrong")


def test_the_tools_over_standard_input(tmp_path):
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    script = tmp_path / "serve.py"
    script.write_text(SCRIPT, encoding="utf-8")
    server = StdioServerParameters(command=sys.executable, args=[str(script), str(ROOT)])

    async def run():
        async with Client(stdio_client(server)) as client:
            return await client.call_tool("ask", {"question": "when will Blinken arrive?"})

    answer = Answer.model_validate(asyncio.run(run()).structured_content)
    assert answer.citations[0].article_id == "blinken"
