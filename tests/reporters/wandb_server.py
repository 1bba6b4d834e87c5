"""A W&B server of one page: it keeps runs as the real one does, as far as the client can see.

A run is upserted by id, its history is a list of lines that a client overwrites from an offset,
and a client that resumes is told how many lines there are, the last one, and the summary.
"""

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class StoredRun:
    attributes: dict = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    summary: str = "{}"
    uploads: list[str] = field(default_factory=list)
    finished: bool = False
    exit_code: int | None = None

    def rows(self) -> list[dict]:
        return [json.loads(line) for line in self.history]


class WandbServer:
    """Use as a context manager; `url` is its address, `runs` what it holds by run id."""

    def __init__(self):
        self.runs: dict[str, StoredRun] = {}
        self.lines_received = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.endswith("/graphql"):
                    answer = {"data": outer._graphql(json.loads(body))}
                else:
                    answer = outer._file_stream(self.path.split("/")[-2], json.loads(body))
                self._answer(json.dumps(answer).encode())

            def do_PUT(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                run_id, _, name = self.path.removeprefix("/upload/").partition("/")
                outer.runs[run_id].uploads.append(name)
                self._answer(b"")

            def _answer(self, content: bytes):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()

    def _graphql(self, request: dict) -> dict:
        query, variables = request["query"], request.get("variables") or {}
        project = {"id": "p", "name": "p", "entity": {"id": "e", "name": "someone"}}
        if "RunResumeStatus" in query:
            run = self.runs.get(variables["name"])
            return {"model": {**project, "bucket": run and _resume_status(variables["name"], run)}}
        if "upsertBucket" in query:
            run = self.runs.setdefault(variables["name"], StoredRun())
            given = {key: value for key, value in variables.items() if value is not None}
            run.attributes.update(given)
            return {"upsertBucket": {"bucket": _bucket(run, project), "inserted": True}}
        if "createRunFiles" in query:
            run_id = variables["run"]
            files = [
                {"name": name, "uploadUrl": f"{self.url}/upload/{run_id}/{name}"}
                for name in variables["files"]
            ]
            return {"createRunFiles": {"runID": "x", "uploadHeaders": [], "files": files}}
        return {}

    def _file_stream(self, run_id: str, request: dict) -> dict:
        run = self.runs[run_id]
        for name, part in (request.get("files") or {}).items():
            if name == "wandb-history.jsonl":
                self.lines_received += len(part["content"])
                run.history[part["offset"] :] = part["content"]
            elif name == "wandb-summary.json":
                run.summary = part["content"][-1]
        if request.get("complete"):
            run.finished, run.exit_code = True, request.get("exitcode")
        return {}


def _bucket(run: StoredRun, project: dict) -> dict:
    return {
        "id": "x",
        "name": run.attributes["name"],
        "displayName": run.attributes.get("displayName"),
        "description": "",
        "config": run.attributes.get("config", "{}"),
        "sweepName": None,
        "project": project,
        "historyLineCount": len(run.history),
    }


def _resume_status(run_id: str, run: StoredRun) -> dict:
    return {
        "id": "x",
        "name": run_id,
        "summaryMetrics": run.summary,
        "displayName": run.attributes.get("displayName"),
        "logLineCount": 0,
        "historyLineCount": len(run.history),
        "eventsLineCount": 0,
        "historyTail": json.dumps(run.history[-1:]),
        "eventsTail": "[]",
        "config": run.attributes.get("config", "{}"),
        "tags": [],
        "notes": None,
        "wandbConfig": json.dumps({"t": 1}),
    }
