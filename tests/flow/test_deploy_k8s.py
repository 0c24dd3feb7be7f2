"""deploy/k8s against the code: what must agree, agrees. `kubectl kustomize deploy/k8s` prints what is applied."""

import asyncio
import re
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.embedded import all_services
from services.ingest.settings import Settings as IngestSettings
from services.ops.queues import topology
from services.settings_table import SERVICES
from services.storage.shops import Nases
from shared.bus.topology import inbox
from shared.nas import PathNas
from tests.flow.deployment import (
    CONFIG_MAP,
    DEPLOY,
    KUSTOMIZATION,
    NOT_OURS,
    PATHS,
    largest_picture_bytes,
    longest_stop_s,
    names_of,
    of_kind,
)

SCALED = {"hasher", "storage", "mockup"}
PRIVATE = "/tmp"  # noqa: S108 - a volume of the pod's own


def pod_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The pod that a Deployment or Job makes."""
    pod: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return pod


def environment_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the pod's only container gets beside the ConfigMap."""
    (container,) = pod_of(manifest)["containers"]
    return {entry["name"]: entry for entry in container["env"]}


def test_every_service_has_a_deployment_that_runs_it() -> None:
    arguments = {name: pod_of(found)["containers"][0]["args"] for name, found in of_kind("Deployment").items()}
    assert arguments == {name: [name] for name in SERVICES}
    assert pod_of(of_kind("Job")["init"])["containers"][0]["command"] == ["presswork", "init"]


def test_a_pod_is_given_settings_only() -> None:
    assert set(CONFIG_MAP) <= names_of("ingest")
    for name, manifest in {**of_kind("Deployment"), **of_kind("Job")}.items():
        assert set(environment_of(manifest)) - NOT_OURS <= names_of(name), name


def test_every_secret_that_a_pod_names_is_in_the_template() -> None:
    template = set(yaml.safe_load((DEPLOY / "k8s/secret.example.yaml").read_text())["stringData"])
    pods = [*of_kind("Deployment").values(), *of_kind("Job").values()]
    sources = [entry.get("valueFrom") for pod in pods for entry in environment_of(pod).values()]
    named = {source["secretKeyRef"]["key"] for source in sources if source}
    keda = {reference["key"] for reference in of_kind("TriggerAuthentication")["rabbitmq"]["spec"]["secretTargetRef"]}
    assert named | keda == template


def test_every_volume_of_a_pod_is_claimed_and_every_path_mounted() -> None:
    claims = set(of_kind("PersistentVolumeClaim"))
    for name, manifest in of_kind("Deployment").items():
        claimed = {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod_of(manifest)["volumes"]
            if "persistentVolumeClaim" in volume
        }
        mounted = {mount["mountPath"] for mount in pod_of(manifest)["containers"][0]["volumeMounts"]}
        paths = {CONFIG_MAP[path] for path in PATHS if path in names_of(name)}
        assert claimed <= claims
        assert mounted == paths | {PRIVATE}, name


@pytest.mark.parametrize("service", sorted(SCALED))
def test_replicas_follow_the_inbox_with_what_is_in_work(service: str) -> None:
    scaled = of_kind("ScaledObject")[service]["spec"]
    (trigger,) = scaled["triggers"]
    assert scaled["scaleTargetRef"] == {"name": service}
    assert inbox(service) in watched(trigger)
    assert (trigger["metadata"]["protocol"], trigger["metadata"]["mode"]) == ("http", "QueueLength")
    assert trigger["metadata"]["excludeUnacknowledged"] == "false"
    # with both, each `kubectl apply` would set KEDA's number back
    assert "replicas" not in of_kind("Deployment")[service]["spec"]


def watched(trigger: dict[str, Any], also: Iterable[str] = ()) -> set[str]:
    """Of all our queues, and of those, the ones that a trigger counts."""
    ours = {queue.name for queue in topology(all_services()).queues} | set(also)
    name = trigger["metadata"]["queueName"]
    if trigger["metadata"].get("useRegex") == "true":
        return {queue for queue in ours if re.search(name, queue)}
    return ours & {name}


def test_replicas_follow_the_queues_of_every_nas_together_and_no_others() -> None:
    nas = PathNas(Path("nowhere"))
    own = Nases(nas, {"NorthCups": nas, "Tassen & Söhne": nas}).queues
    triggers = {name: scaled["spec"]["triggers"][0] for name, scaled in of_kind("ScaledObject").items()}
    assert len(own) == 3
    assert watched(triggers["storage"], own) == {inbox("storage"), *own}
    assert triggers["storage"]["metadata"]["operation"] == "sum"
    assert {name: watched(triggers[name], own) for name in ("hasher", "mockup")} == {
        name: {inbox(name)} for name in ("hasher", "mockup")
    }


def test_as_many_hashers_can_run_as_an_upload_is_split_for() -> None:
    most = of_kind("ScaledObject")["hasher"]["spec"]["maxReplicaCount"]
    assert int(CONFIG_MAP["COMPREHENSIVE_WORKFLOW_MAX_THREADS"]) == most


@pytest.mark.parametrize("service", ["hasher", "ingest"])
def test_what_hashes_may_take_the_memory_that_the_largest_picture_needs(service: str) -> None:
    (container,) = pod_of(of_kind("Deployment")[service])["containers"]
    assert int(container["resources"]["limits"]["memory"].removesuffix("Gi")) * 2**30 >= largest_picture_bytes()


def test_kubernetes_waits_longer_than_a_service_takes_to_stop() -> None:
    grace_s = float(CONFIG_MAP["STOP_GRACE_SECONDS"])
    for name, manifest in of_kind("Deployment").items():
        (container,) = pod_of(manifest)["containers"]
        asleep_s = int(
            container.get("lifecycle", {}).get("preStop", {"exec": {"command": ["0"]}})["exec"]["command"][-1]
        )
        assert pod_of(manifest)["terminationGracePeriodSeconds"] > asleep_s + longest_stop_s(grace_s), name


def test_ingest_is_probed_where_it_answers() -> None:
    (container,) = pod_of(of_kind("Deployment")["ingest"])["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": int(CONFIG_MAP["PORT"])}]


def test_kustomize_takes_every_manifest() -> None:
    files = {path.name for path in (DEPLOY / "k8s").glob("*.yaml")}
    assert files == {*KUSTOMIZATION["resources"], "kustomization.yaml", "secret.example.yaml"}


def test_the_ingress_lets_uploads_and_streams_through() -> None:
    annotations = of_kind("Ingress")["ingest"]["metadata"]["annotations"]
    said = {name.rpartition("/")[2]: value for name, value in annotations.items()}
    assert said["proxy-body-size"].removesuffix("g").isdecimal()
    assert (said["proxy-request-buffering"], said["proxy-buffering"]) == ("off", "off")
    assert int(said["proxy-read-timeout"]) >= max(900, IngestSettings.model_fields["http_wait_seconds"].default)


def test_the_ingress_writes_no_token_to_a_log() -> None:
    annotations = of_kind("Ingress")["ingest"]["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/enable-access-log"] == "false"


def test_only_the_proxy_tells_from_where_a_caller_is() -> None:
    trusted = environment_of(of_kind("Deployment")["ingest"])["FORWARDED_ALLOW_IPS"]["value"]
    proxy = str(ip_network(trusted)[5])
    assert caller(proxy, "1.2.3.4, 203.0.113.9", trusted) == "203.0.113.9", "what the caller wrote is not believed"
    assert caller("203.0.113.9", "1.2.3.4", trusted) == "203.0.113.9"


def caller(address: str, forwarded_for: str, trusted: str) -> str:
    """Whom the server takes for the caller."""
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        found.append(scope["client"][0])

    scope: Any = {"type": "http", "client": (address, 1), "headers": [(b"x-forwarded-for", forwarded_for.encode())]}
    asyncio.run(ProxyHeadersMiddleware(app, trusted)(scope, None, None))  # type: ignore[arg-type]
    return str(found[0])


def test_nobody_but_the_proxy_and_prometheus_reaches_ingest() -> None:
    policy = of_kind("NetworkPolicy")["ingest"]["spec"]
    assert policy["podSelector"] == of_kind("Deployment")["ingest"]["spec"]["selector"]
    assert policy["policyTypes"] == ["Ingress"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": "http"}]
    spaces = [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in rule["from"]]
    assert spaces == ["ingress-nginx", "monitoring"]


def test_the_ingress_shows_no_figures_to_outsiders() -> None:
    shut = of_kind("Ingress")["ingest-inside"]
    assert shut["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/denylist-source-range": "0.0.0.0/0,::/0"}
    opened = of_kind("Ingress")["ingest"]["spec"]
    assert {key: shut["spec"][key] for key in ("ingressClassName", "tls")} == {
        key: opened[key] for key in ("ingressClassName", "tls")
    }
    (rule,) = shut["spec"]["rules"]
    assert rule["host"] == opened["rules"][0]["host"]
    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [("/metrics", "Exact")]
