"""The second environment's own SSH server, API and AWS, each on 127.0.0.1 and in threads of the test's process."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import asyncssh

REGION = "eu-central-1"
# environment → how it logs in, so that its logins can be counted
USERS = {"qa": "ubuntu", "qa2": "second", "strangers": "stranger"}
PORT = 6432
UP_TO_DATE = {"upToDate": True, "pendingMigrations": 0, "dbType": "postgresql"}


class Bastion:
    """An SSH server that lets one RSA key in and forwards to the names that it was given, nowhere else."""

    def __init__(self) -> None:
        self.host_key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
        self.client_key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
        self.forwards: dict[tuple[str, int], int] = {}
        self.connections = 0
        self.logins: Counter[str] = Counter()
        self.port = 0
        self._ready = threading.Event()
        self._end: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        if self._end is not None:
            self._end[0].call_soon_threadsafe(self._end[1].set)
            self._thread.join(10)

    def known_hosts(self, key: asyncssh.SSHKey | None = None) -> str:
        """A line of known_hosts with its own key, or with another one."""
        return f"[127.0.0.1]:{self.port} {(key or self.host_key).export_public_key().decode()}"

    async def _serve(self) -> None:
        self._end = asyncio.get_running_loop(), asyncio.Event()
        keys = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _SshServer(self), server_host_keys=[self.host_key],
            authorized_client_keys=keys, password_auth=False, kbdint_auth=False,
        )  # fmt: skip
        self.port = listener.get_port()
        self._ready.set()
        await self._end[1].wait()
        listener.close()


class _SshServer(asyncssh.SSHServer):
    def __init__(self, bastion: Bastion) -> None:
        self._bastion = bastion
        self._user = ""
        self._connection: Any = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._bastion.connections += 1

    def begin_auth(self, username: str) -> bool:
        if username not in USERS.values():
            raise asyncssh.PermissionDenied("no such user")
        self._user = username
        return True

    def auth_completed(self) -> None:
        self._bastion.logins[self._user] += 1

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        if (dest_host, dest_port) not in self._bastion.forwards:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Name or service not known")
        return self._connection.forward_connection("127.0.0.1", self._bastion.forwards[dest_host, dest_port])


class Api:
    """Frigg's migration API, generation G3: checks the key, then says what it is told to say."""

    def __init__(self, key: str) -> None:
        self.answer: dict[str, Any] = dict(UP_TO_DATE)
        self.requests: Counter[str] = Counter()  # environment → requests, whatever they ask
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _, environment, *path = urlsplit(self.path).path.split("/")
                api.requests[environment] += 1
                if self.headers.get("x-frigg-admin-api-key") != key:
                    self._send(401, {"error": "Unauthorized", "message": "Invalid admin API key"})
                elif path != ["db-migrate", "status"]:
                    self._send(404, {"message": "Not Found"})
                else:
                    self._send(200, {**api.answer, "stage": "qa"})

            def do_POST(self) -> None:
                api.requests["POST"] += 1
                self._send(405, {"message": "a test never triggers a migration"})

            def _send(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Aws:
    """moto's server in this process, with the resources of two stages in it."""

    def __init__(self, secret_key: str) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self.url = "http://127.0.0.1:{1}".format(*self._server.get_host_and_port())
        self.key_id = "AKIA" + secrets.token_hex(8).upper()
        self._secret_key = secret_key
        urlopen(Request(f"{self.url}/moto-api/reset", b""), timeout=30).close()  # another world's, in this process
        config = json.dumps({"lambda": {"use_docker": False}}).encode()
        urlopen(Request(f"{self.url}/moto-api/config", config), timeout=30).close()

    def stop(self) -> None:
        self._server.stop()

    def cluster(self, identifier: str) -> str:
        """A new cluster with one instance; gives its writer endpoint."""
        rds = self.client("rds")
        engine = {"DBClusterIdentifier": identifier, "Engine": "aurora-postgresql"}
        made = rds.create_db_cluster(**engine, MasterUsername="master", MasterUserPassword="not-used-1", Port=PORT)
        rds.create_db_instance(**engine, DBInstanceIdentifier=f"{identifier}-a", DBInstanceClass="db.serverless")
        endpoint: str = made["DBCluster"]["Endpoint"]
        return endpoint

    def remove_cluster(self, identifier: str) -> None:
        rds = self.client("rds")
        rds.delete_db_instance(DBInstanceIdentifier=f"{identifier}-a", SkipFinalSnapshot=True)
        rds.delete_db_cluster(DBClusterIdentifier=identifier, SkipFinalSnapshot=True)

    def bastion(self, name: str, address: str) -> None:
        ec2 = self.client("ec2")
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
        made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags)
        allocation = ec2.allocate_address(Domain="vpc", Address=address)["AllocationId"]
        ec2.associate_address(InstanceId=made["Instances"][0]["InstanceId"], AllocationId=allocation)

    def function(self, name: str, variables: dict[str, str]) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("index.js", "")
        self.client("lambda").create_function(
            FunctionName=name, Runtime="nodejs22.x", Role=self._role, Handler="index.handler",
            Code={"ZipFile": archive.getvalue()}, Environment={"Variables": variables},
        )  # fmt: skip
        self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")  # as its first run does

    def secret(self, name: str, value: dict[str, str]) -> None:
        self.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))

    def client(self, service: str) -> Any:
        return self._clients(service)

    @cached_property
    def _role(self) -> str:
        role = self.client("iam").create_role(RoleName="acme", AssumeRolePolicyDocument="{}")
        arn: str = role["Role"]["Arn"]
        return arn

    @cached_property
    def _clients(self) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.Session(
            aws_access_key_id=self.key_id, aws_secret_access_key=self._secret_key, region_name=REGION
        )  # fmt: skip
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                made[service] = session.client(service, endpoint_url=self.url, config=Config(proxies={}))  # type: ignore[call-overload]
            return made[service]

        return client


# AWS's protocols spell a refusal in three ways as XML; the others say it in JSON.
_REFUSALS = {
    "sts": "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>",
    "rds": "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>",
    "ec2": "<Response><Errors><Error><Code>{}</Code></Error></Errors></Response>",
    "s3": "<Error><Code>{}</Code></Error>",
}


@contextmanager
def expired_login() -> Iterator[str]:
    """An AWS to which every login has expired; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def do_GET(self) -> None:
            service = self.headers["Authorization"].split("/")[3]  # of Credential=KEY/DATE/REGION/SERVICE/aws4_request
            body = _REFUSALS.get(service, '{{"__type": "{}"}}').format("ExpiredToken").encode()
            self.send_response(403)
            self.send_header("x-amzn-ErrorType", "ExpiredToken")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
