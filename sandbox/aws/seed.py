"""The sandbox's AWS: moto's server with the resources of two stages in it."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fixtures.clients.child_environment import child_environment
from fixtures.clients.child_process import spawn
from sandbox.api.runs import Clients, seed_runs
from sandbox.aws import logs
from sandbox.aws.proxy import AwsProxy
from sandbox.aws.server import REGION
from sandbox.aws.upstream import Sender, connection, url_of
from sandbox.plan import LOCAL, OTHER, Plan, Stage

_START_S = 30
_PATHS = "http://127.0.0.1"  # with an address in place of a name, S3 has its buckets in paths
BUCKET = f"{LOCAL.prefix}friggmigrationstatusbucket-{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Endpoints:
    """The addresses of one stage's cluster."""

    writer: str
    reader: str
    instance: str
    other: str = ""  # the writer of the other stage's cluster


@contextmanager
def aws_server(directory: Path) -> Iterator[Callable[[], str]]:
    """A starting moto server in a private directory; what is yielded waits for it and gives its upstream."""
    path = moto_socket(directory)
    process = spawn(
        [sys.executable, "-m", "sandbox.aws.server", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=child_environment("PYTHON", "COVERAGE", "MOTO"),
    )
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101
    output = process.stdout
    try:
        yield lambda: started(output.readline(), path)
    finally:
        process.stdin.close()
        process.kill()  # it holds nothing that would want an orderly end
        process.wait(_START_S)


def moto_socket(directory: Path) -> Path:
    """The place of the server's socket, which only this user may enter: as root, the database's may pass the other."""
    place = directory / "aws"
    place.mkdir(mode=0o700)
    return place / "moto"


def started(line: bytes | str, path: Path) -> str:
    """The upstream, once the server has said that it is ready.

    Raises:
        OSError: it has ended.
    """
    if not line:
        raise OSError("moto's server did not start")
    return url_of(path)


class Seed:
    """Creates the resources of a stage through the same API that the suite reads."""

    def __init__(self, url: Callable[[], str]) -> None:
        import boto3  # takes as long as the server's start

        self.url = url()
        self._sender = Sender(self.url)
        self.key_id = "AKIA" + secrets.token_hex(8).upper()
        self.key = secrets.token_urlsafe(30)
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._session = boto3.Session(
            aws_access_key_id=self.key_id, aws_secret_access_key=self.key, region_name=REGION
        )  # fmt: skip

    def security_groups(self, stage: Stage, *, bastion_admitted: bool) -> tuple[str, str]:
        """The group of functions and cluster, as Frigg makes it, and the bastion's, which a person let in there."""
        ec2 = self._client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        made = [
            ec2.create_security_group(GroupName=f"{stage.prefix}{name}", Description=name, VpcId=vpc)["GroupId"]
            for name in ("lambda-sg", "bastion-sg")
        ]
        admitted = made if bastion_admitted else made[:1]
        ec2.authorize_security_group_ingress(
            GroupId=made[0],
            IpPermissions=[
                {
                    "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432,
                    "UserIdGroupPairs": [{"GroupId": group} for group in admitted],
                }
            ],
        )  # fmt: skip
        return made[0], made[1]

    def cluster(
        self, identifier: str, security_group: str, *, may_pause: bool = False, reader: bool = False
    ) -> Endpoints:
        """An Aurora cluster with one instance, or two."""
        rds = self._client("rds")
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=identifier, VpcSecurityGroupIds=[security_group],
            Engine="aurora-postgresql", EngineVersion="15.13",
            MasterUsername="postgres", MasterUserPassword=secrets.token_hex(8), DatabaseName="postgres", Port=5432,
            ServerlessV2ScalingConfiguration={"MinCapacity": 0 if may_pause else 0.5, "MaxCapacity": 1},
        )["DBCluster"]  # fmt: skip
        instances = [
            rds.create_db_instance(
                DBInstanceIdentifier=f"{identifier}-{number}", DBClusterIdentifier=identifier,
                Engine="aurora-postgresql", DBInstanceClass="db.serverless",
            )["DBInstance"]
            for number in range(1, 3 if reader else 2)
        ]  # fmt: skip
        return Endpoints(cluster["Endpoint"], cluster["ReaderEndpoint"], instances[0]["Endpoint"]["Address"])

    def stop_cluster(self, identifier: str) -> None:
        """Stop a cluster: what AWS says of it, not the database."""
        self._client("rds").stop_db_cluster(DBClusterIdentifier=identifier)

    def bastion(self, stage: Stage, security_group: str, *, running: bool) -> None:
        """An instance with a public address on this machine."""
        ec2 = self._client("ec2")
        instance = ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SecurityGroupIds=[security_group],
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"quo-bastion-{stage.name}"}]}
            ],
        )["Instances"][0]["InstanceId"]  # fmt: skip
        address = ec2.allocate_address(Domain="vpc", Address=stage.bastion_address)
        ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
        if not running:
            ec2.stop_instances(InstanceIds=[instance])

    def functions(self, variables: dict[str, dict[str, str]], layer_of_auth: int) -> None:
        """The stages' Lambda functions, and two versions of their layer; ``variables`` by stage."""
        settings = connection(self.url)
        body, kind = json.dumps({"lambda": {"use_docker": False}}).encode(), {"Content-Type": "application/json"}
        settings.request("POST", "/moto-api/config", body, kind)
        settings.getresponse().close()
        settings.close()
        role = self._client("iam").create_role(RoleName="lambda", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("index.js", "")
        client = self._client("lambda")
        for stage, values in variables.items():
            layers = [
                client.publish_layer_version(
                    LayerName=f"quo-integrations-prisma-{stage}", Content={"ZipFile": archive.getvalue()}
                )["LayerVersionArn"]
                for _ in range(2)
            ]  # fmt: skip
            for function, version in (("auth", layer_of_auth), ("dbMigrationWorker", 2)):
                client.create_function(
                    FunctionName=f"quo-integrations-{stage}-{function}", Runtime="nodejs22.x", Role=role,
                    Handler="index.handler", Code={"ZipFile": archive.getvalue()}, Environment={"Variables": values},
                    Layers=[layers[version - 1]],
                )  # fmt: skip

    def secret(self, stage: Stage, password: str) -> None:
        """The secret with the database's login."""
        text = json.dumps({"username": "postgres", "password": password})
        self._client("secretsmanager").create_secret(Name=f"{stage.prefix}db-credentials", SecretString=text)

    def logs(self, stage: Stage, lines: Mapping[str, Sequence[str]]) -> None:
        """The functions' logs: quiet lines, then these."""
        client = self._client("logs")
        for function, quiet in logs.QUIET.items():
            logs.write(client, f"/aws/lambda/{stage.prefix}{function}", [*quiet, *lines.get(function, ())])

    def clients(self) -> Clients:
        """What router and worker of the first stage use."""
        return Clients(self._client("s3"), self._client("logs"), BUCKET)

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        with self._lock:  # a session makes clients for one thread at a time, each in a twentieth of a second
            if service not in self._made:
                client = self._session.client(service, endpoint_url=_PATHS, config=Config(proxies={}))  # type: ignore[call-overload]
                client.meta.events.register("before-send", self._sender)
                self._made[service] = client
            return self._made[service]


def seed(url: Callable[[], str], plan: Plan, front: AwsProxy) -> tuple[Seed, Endpoints]:
    """Put two stages into AWS, and moto behind the front; gives the first stage's endpoints."""
    aws = Seed(url)
    front.upstream = aws.url
    with ThreadPoolExecutor(2) as pool:  # moto works while the next request is being made
        beside = [pool.submit(_seed_logs_and_runs, aws, plan)]
        groups = {
            stage: aws.security_groups(stage, bastion_admitted=stage is OTHER or plan.bastion_admitted)
            for stage in (LOCAL, OTHER)
        }
        beside.append(pool.submit(_seed_bastions, aws, plan, {stage: group for stage, (_, group) in groups.items()}))
        endpoints = _seed_clusters(aws, plan, {stage: group for stage, (group, _) in groups.items()})
        _seed_functions(aws, plan, endpoints)
        for each in beside:
            each.result()
    return aws, replace(endpoints[LOCAL], other=endpoints[OTHER].writer)


def _seed_clusters(aws: Seed, plan: Plan, groups: Mapping[Stage, str]) -> dict[Stage, Endpoints]:
    endpoints = {
        LOCAL: aws.cluster(LOCAL.cluster, groups[LOCAL], may_pause=plan.way.may_pause, reader=plan.reader),
        OTHER: aws.cluster(OTHER.cluster, groups[OTHER]),
    }
    if plan.cluster_stopped:
        aws.stop_cluster(LOCAL.cluster)
    if plan.second_cluster:
        aws.cluster(LOCAL.restored, groups[LOCAL])
    return endpoints


def _seed_functions(aws: Seed, plan: Plan, endpoints: Mapping[Stage, Endpoints]) -> None:
    """The secrets, and the functions with their variables."""
    passwords = {LOCAL: plan.functions_password, OTHER: secrets.token_hex(16)}
    if plan.secret_exists:
        aws.secret(LOCAL, plan.secret_password)
    aws.secret(OTHER, passwords[OTHER])
    hosts = {
        LOCAL: plan.functions_host.format(writer=endpoints[LOCAL].writer, other=endpoints[OTHER].writer),
        OTHER: endpoints[OTHER].writer,
    }
    variables = {
        stage.name: {
            "ADMIN_API_KEY": plan.admin_key if stage is LOCAL else secrets.token_urlsafe(24),
            "DATABASE_URL": f"postgresql://postgres:{quote(passwords[stage], safe='')}@{hosts[stage]}:5432/postgres",
            "DATABASE_HOST": endpoints[stage].writer,
            "DB_TYPE": "postgresql",
            "S3_BUCKET_NAME": BUCKET if stage is LOCAL else f"{stage.prefix}friggmigrationstatusbucket-0",
            "STAGE": stage.name,
        }
        for stage in endpoints
    }
    if not plan.function_keys:
        del variables[LOCAL.name]["ADMIN_API_KEY"]
    aws.functions(variables, plan.layer_of_auth)


def _seed_bastions(aws: Seed, plan: Plan, groups: Mapping[Stage, str]) -> None:
    aws.bastion(LOCAL, groups[LOCAL], running=plan.bastion_running)
    aws.bastion(OTHER, groups[OTHER], running=True)


def _seed_logs_and_runs(aws: Seed, plan: Plan) -> None:
    aws.logs(LOCAL, plan.log_lines)
    aws.logs(OTHER, {"auth": logs.COLUMN_MISSING})  # another stage's trouble is not ours
    seed_runs(aws.clients(), plan.runs)
