"""STS and IAM on loopback, as far as permissions are tried: no emulator simulates policies. Judges by the documented order: an explicit Deny,
then an Allow, else an implicit deny (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
PAGE = 3


@dataclass(slots=True)
class FakeIam:
    """`caller`: the ARN that STS tells; `principal`: the one that IAM knows. `policy`: what it may do; `forbidden`: calls that are refused.
    `unknown`: context keys that the simulation says it lacks. `asked`: the principal of each simulation."""

    endpoint_url: str = ""
    caller: str = "arn:aws:iam::123456789012:user/ada"
    principal: str = "arn:aws:iam::123456789012:user/ada"
    policy: Sequence[Mapping[str, Any]] = ()
    forbidden: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    in_organization: bool = True
    asked: list[str] = field(default_factory=list)

    def answer(self, form: Mapping[str, list[str]]) -> tuple[int, str]:
        action = form["Action"][0]
        if action in self.forbidden:
            message = f"User: {self.caller} is not authorized to perform: iam:{action}"
            return (
                403,
                f"<ErrorResponse xmlns='{IAM}'><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>",
            )
        if action == "GetCallerIdentity":
            return 200, _wrap(STS, action, f"<Arn>{self.caller}</Arn><UserId>U</UserId><Account>123456789012</Account>")
        if action == "GetRole":
            role = f"<Path>/</Path><RoleName>r</RoleName><RoleId>R</RoleId><Arn>{self.principal}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
            return 200, _wrap(IAM, action, f"<Role>{role}</Role>")
        source = form["PolicySourceArn"][0]
        self.asked.append(source)
        if source != self.principal:
            return (
                404,
                f"<ErrorResponse xmlns='{IAM}'><Error><Code>NoSuchEntity</Code><Message>no {source}</Message></Error></ErrorResponse>",
            )
        return 200, _wrap(IAM, action, self._simulate(form))

    def _simulate(self, form: Mapping[str, list[str]]) -> str:
        """A page of actions at a time, each on every resource."""
        actions, resources, context = _members(form, "ActionNames"), _members(form, "ResourceArns"), _read_context(form)
        start = int(form.get("Marker", ["0"])[0])
        results = "".join(self._result(action, resources, context) for action in actions[start : start + PAGE])
        is_more = start + PAGE < len(actions)
        marker = f"<Marker>{start + PAGE}</Marker>" if is_more else ""
        return f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>{str(is_more).lower()}</IsTruncated>{marker}"

    def _result(self, action: str, resources: Sequence[str], context: Mapping[str, list[str]]) -> str:
        decisions = {resource: self._decide(action, resource, context) for resource in resources}
        missing = "".join(f"<member>{key}</member>" for key in self.unknown)
        specific = "".join(
            f"<member><EvalResourceName>{escape(resource)}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision>"
            f"<MissingContextValues>{missing if decision != 'allowed' else ''}</MissingContextValues></member>"
            for resource, decision in decisions.items()
        )
        worst = next((each for each in ("explicitDeny", "implicitDeny") if each in decisions.values()), "allowed")
        organization = f"<OrganizationsDecisionDetail><AllowedByOrganizations>{str(self.in_organization).lower()}</AllowedByOrganizations></OrganizationsDecisionDetail>"
        name = f"<EvalActionName>{action}</EvalActionName><EvalResourceName>{escape(resources[0])}</EvalResourceName>"
        return (
            f"<member>{name}<EvalDecision>{worst}</EvalDecision>{organization}"
            f"<ResourceSpecificResults>{specific}</ResourceSpecificResults></member>"
        )

    def _decide(self, action: str, resource: str, context: Mapping[str, list[str]]) -> str:
        if not self.in_organization:
            return "implicitDeny"
        effects = {each["Effect"] for each in self.policy if grants(each, action, resource, context)}
        return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"


def grants(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, list[str]]) -> bool:
    """Whether a statement is about this request."""
    return (
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        and all(_meets(operator, keys, context) for operator, keys in statement.get("Condition", {}).items())
    )


def _meets(operator: str, keys: Mapping[str, Any], context: Mapping[str, list[str]]) -> bool:
    is_all = operator.startswith("ForAllValues:")
    for key, wanted in keys.items():
        found = context.get(key, [])
        if not found and not is_all:
            return False
        if not all(any(fnmatchcase(value, pattern) for pattern in _list(wanted)) for value in found):
            return False
    return True


@contextmanager
def run_fake_iam() -> Iterator[FakeIam]:
    fake = FakeIam()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = fake.answer(form)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        fake.endpoint_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


def _wrap(namespace: str, action: str, inner: str) -> str:
    return f"<{action}Response xmlns='{namespace}'><{action}Result>{inner}</{action}Result></{action}Response>"


def _members(form: Mapping[str, list[str]], name: str) -> list[str]:
    numbered = ((int(key.rsplit(".", 1)[1]), values[0]) for key, values in form.items() if key.startswith(f"{name}.member."))
    return [value for _, value in sorted(numbered)]


def _read_context(form: Mapping[str, list[str]]) -> dict[str, list[str]]:
    names = {
        key.rsplit(".", 1)[0]: values[0]
        for key, values in form.items()
        if key.startswith("ContextEntries") and key.endswith(".ContextKeyName")
    }
    return {name: [form[key][0] for key in sorted(form) if key.startswith(f"{entry}.ContextKeyValues.")] for entry, name in names.items()}


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)
