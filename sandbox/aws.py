"""The sandbox's AWS: moto's server with the resources of two stages in it."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.aws_server import REGION
from sandbox.front import Front
from sandbox.plan import LOCAL, OTHER, Plan, Stage
from sandbox.runs import Clients, seed_runs

_START_S = 30
BUCKET = f"{LOCAL.prefix}friggmigrationstatusbucket-{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Endpoints:
    """The addresses of one stage's cluster."""

    writer: str
    reader: str
    instance: str


@contextmanager
def aws_server() -> Iterator[Callable[[], str]]:
    """A starting moto server; what is yielded waits for it and gives its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.aws_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101
    output = process.stdout
    try:
        yield lambda: f"http://127.0.0.1:{int(output.readline())}"
    finally:
        process.stdin.close()
        process.kill()  # it holds nothing that would want an orderly end
        process.wait(_START_S)


class Seed:
    """Creates the resources of a stage through the same API that the suite reads."""

    def __init__(self, url: Callable[[], str]) -> None:
        import boto3  # takes as long as the server's start

        self.url = url()
        self.key_id = "AKIA" + secrets.token_hex(8).upper()
        self.key = secrets.token_urlsafe(30)
        self._session = boto3.Session(
            aws_access_key_id=self.key_id, aws_secret_access_key=self.key, region_name=REGION
        )  # fmt: skip

    def cluster(self, stage: Stage) -> Endpoints:
        """An Aurora cluster with one instance."""
        rds = self._client("rds")
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=stage.cluster, Engine="aurora-postgresql", EngineVersion="15.13",
            MasterUsername="postgres", MasterUserPassword=secrets.token_hex(8), DatabaseName="postgres", Port=5432,
        )["DBCluster"]  # fmt: skip
        instance = rds.create_db_instance(
            DBInstanceIdentifier=f"{stage.cluster}-1", DBClusterIdentifier=stage.cluster,
            Engine="aurora-postgresql", DBInstanceClass="db.serverless",
        )["DBInstance"]  # fmt: skip
        return Endpoints(cluster["Endpoint"], cluster["ReaderEndpoint"], instance["Endpoint"]["Address"])

    def bastion(self, stage: Stage, *, running: bool) -> None:
        """An instance with a public address on this machine."""
        ec2 = self._client("ec2")
        instance = ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"quo-bastion-{stage.name}"}]}
            ],
        )["Instances"][0]["InstanceId"]  # fmt: skip
        address = ec2.allocate_address(Domain="vpc", Address=stage.bastion_address)
        ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
        if not running:
            ec2.stop_instances(InstanceIds=[instance])

    def functions(self, variables: dict[str, dict[str, str]]) -> None:
        """The stages' Lambda functions; ``variables`` by stage."""
        request = urllib.request.Request(  # noqa: S310 - the URL is our own server's
            f"{self.url}/moto-api/config",
            json.dumps({"lambda": {"use_docker": False}}).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=_START_S).close()  # noqa: S310
        role = self._client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("index.js", "")
        for stage, values in variables.items():
            for function in ("auth", "dbMigrationWorker"):
                self._client("lambda").create_function(
                    FunctionName=f"quo-integrations-{stage}-{function}", Runtime="nodejs22.x", Role=role,
                    Handler="index.handler", Code={"ZipFile": archive.getvalue()}, Environment={"Variables": values},
                )  # fmt: skip

    def secret(self, stage: Stage, password: str) -> None:
        """The secret with the database's login."""
        text = json.dumps({"username": "postgres", "password": password})
        self._client("secretsmanager").create_secret(Name=f"{stage.prefix}db-credentials", SecretString=text)

    def clients(self) -> Clients:
        """What router and worker of the first stage use."""
        return Clients(self._client("s3"), self._client("logs"), BUCKET)

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        return self._session.client(service, endpoint_url=self.url, config=Config(proxies={}))  # type: ignore[call-overload]


def seed(url: Callable[[], str], plan: Plan, front: Front) -> tuple[Seed, Endpoints]:
    """Put two stages into AWS, and moto behind the front; gives the first stage's endpoints."""
    aws = Seed(url)
    front.upstream = aws.url
    stages = (LOCAL, OTHER)
    endpoints = [aws.cluster(stage) for stage in stages]
    passwords = (plan.database_password, secrets.token_hex(16))
    aws.secret(LOCAL, plan.secret_password)
    aws.secret(OTHER, passwords[1])
    aws.functions(
        {
            stage.name: {
                "ADMIN_API_KEY": plan.admin_key if stage is LOCAL else secrets.token_urlsafe(24),
                "DATABASE_URL": f"postgresql://postgres:{quote(password, safe='')}@{point.writer}:5432/postgres",
                "DB_TYPE": "postgresql",
                "STAGE": stage.name,
                "MIGRATION_STATUS_BUCKET": BUCKET if stage is LOCAL else f"{stage.prefix}friggmigrationstatusbucket-0",
            }
            for stage, point, password in zip(stages, endpoints, passwords, strict=True)
        }
    )
    aws.bastion(LOCAL, running=plan.bastion_running)
    aws.bastion(OTHER, running=True)
    seed_runs(aws.clients(), plan.runs)
    return aws, endpoints[0]
