"""Walk through a running application from outside, as its users would.

Usage: python walk.py BASE_URL LOG_FILE EXAMPLE

BASE_URL is where uvicorn serves. LOG_FILE holds its standard error, where the mails of
development appear. EXAMPLE is the spec that the application was built from: acme, which
has billing, or minimal, which has none. STRIPE_WEBHOOK_SECRETS must be the same as for
the application.
"""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from httpx2 import Client
from stripe import WebhookSignature

PASSWORD = "correct horse battery"
# Entities whose rows are edited behind a feature flag of the example.
FLAGGED = {"comments"}
RUN = uuid4().hex[:8]
SECRET = os.environ["STRIPE_WEBHOOK_SECRETS"].split(",")[0]


class Walk:
    """The steps so far, and the application they go through."""

    def __init__(self, base_url: str, log: Path) -> None:
        """Start at the door."""
        self.http = Client(base_url=base_url, timeout=10)
        self.log = log
        self.requests = 0
        self.steps = 0

    def send(
        self, method: str, path: str, status: int, token: str = "", **kw: Any
    ) -> Any:
        """Send a request, and stop the walk if the answer is not what it should be."""
        others = kw.pop("or_status", ())
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= kw.pop("headers", {})
        response = self.http.request(method, path, headers=headers, **kw)
        self.requests += 1
        if response.status_code not in (status, *others):
            found = f"{response.status_code} {response.text}"
            sys.exit(f"FAILED {method} {path}: expected {status}, found {found}")
        if status >= 400:
            media = response.headers["content-type"]
            self.check(media == "application/problem+json", f"{path} answers {media}")
        return (
            response.json()
            if "json" in response.headers.get("content-type", "")
            else response.text
        )

    def check(self, holds: bool, what: str) -> None:
        """Stop the walk if something does not hold."""
        if not holds:
            sys.exit(f"FAILED {what}")

    def say(self, step: str) -> None:
        """Tell what is done."""
        self.steps += 1
        print(f"ok {self.steps:2} {step}")

    def mailed_token(self, email: str, page: str) -> str:
        """Find the token in the last mail to an address with a link to a page."""
        for _ in range(100):
            mails = [
                entry["message"]
                for line in self.log.read_text().splitlines()
                if line.startswith("{")
                and (entry := json.loads(line))["message"].startswith(
                    f"Mail to {email}:"
                )
                and f"/{page}#token=" in entry["message"]
            ]
            if mails:
                return mails[-1].split()[-1]
            time.sleep(0.1)
        sys.exit(f"FAILED no mail to {email} in {self.log}")

    def sign_up(self, name: str) -> tuple[str, str]:
        """Register and sign in."""
        email = f"{name}-{RUN}@example.com"
        body = {"email": email, "password": PASSWORD}
        first = self.send("POST", "/auth/register", 202, json=body)
        again = self.send("POST", "/auth/register", 202, json=body)
        self.check(first == again, "register tells known addresses apart")
        return email, self.send("POST", "/auth/login", 200, json=body)["access_token"]

    def webhook(
        self,
        kind: str,
        content: dict[str, Any],
        status: int = 200,
        secret: str = SECRET,
    ) -> Any:
        """Deliver an event signed by the Stripe library."""
        event = {
            "id": f"evt_{uuid4().hex}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "data": {"object": content},
        }
        body = json.dumps(event)
        headers = {
            "Stripe-Signature": WebhookSignature.generate_signature_header(body, secret)
        }
        return self.send(
            "POST", "/billing/webhook", status, content=body, headers=headers
        )


def main(base_url: str, log: Path, example: str) -> None:
    """Walk."""
    has_billing = example == "acme"
    walk = Walk(base_url, log)
    send = walk.send
    before = metric_sum(send("GET", "/metrics", 200))
    walk.requests = 0

    send("GET", "/health", 200)
    send("GET", "/health/live", 200)
    send("GET", "/health/ready", 200)
    walk.say("alive and ready")

    ada_email, ada = walk.sign_up("ada")
    eve_email, eve = walk.sign_up("eve")
    bob_email, bob = walk.sign_up("bob")
    send(
        "POST",
        "/auth/login",
        401,
        json={"email": ada_email, "password": "wrong password"},
    )
    for email, caller in ((ada_email, ada), (bob_email, bob)):
        token = {"token": walk.mailed_token(email, "verify-email")}
        verified = send("POST", "/auth/verify", 200, caller, json=token)
        walk.check(
            verified["email_verified_at"] is not None, "the address is not verified"
        )
    send("GET", "/auth/me", 401)
    walk.say("three users, two of them verified by mail")

    ours = send("POST", "/organizations", 201, ada, json={"name": "Ours"})[
        "organization"
    ]["id"]
    theirs = send("POST", "/organizations", 201, eve, json={"name": "Theirs"})[
        "organization"
    ]["id"]
    send("GET", f"/organizations/{ours}", 404, eve)
    walk.say("two organizations")

    invitations = f"/organizations/{ours}/invitations"
    created = send(
        "POST", invitations, 201, ada, json={"email": bob_email, "role": "member"}
    )
    pending = send("GET", f"{invitations}/pending", 200, ada)
    walk.check(pending["items"] == [created], "the invitation is not pending")
    send("POST", invitations, 409, ada, json={"email": bob_email, "role": "member"})
    token = {"token": walk.mailed_token(bob_email, "accept-invitation")}
    send("POST", "/invitations/accept", 403, eve, json=token)
    send("POST", "/invitations/accept", 201, bob, json=token)
    send("POST", "/invitations/accept", 410, bob, json=token)
    walk.say("invited, refused to a wrong user, accepted once")

    send(
        "POST", invitations, 403, bob, json={"email": "x@example.com", "role": "viewer"}
    )
    send("GET", f"{invitations}/pending", 403, bob)
    walk.say("a member is refused where an admin is needed")

    if has_billing:
        subscribe(walk, ours, ada, bob)
    rows = make_rows(walk, ada, ours, MAKERS[example])
    if has_billing:
        pay(walk, theirs, eve, "eve")
    for entity, (row, body) in rows.items():
        for organization in (ours, theirs):
            path = f"/organizations/{organization}/{entity}"
            send("GET", f"{path}/{row['id']}", 404, eve)
            # Rows with versions want to be told which one; any will do.
            match = {"If-Match": "*"}
            # A feature flag that is off may be told before the row is looked for.
            send(
                "PATCH",
                f"{path}/{row['id']}",
                404,
                eve,
                json={},
                headers=match,
                or_status=(403,) if entity in FLAGGED else (),
            )
            send("DELETE", f"{path}/{row['id']}", 404, eve, headers=match)
        send("GET", f"/organizations/{ours}/{entity}", 404, eve)
        send("POST", f"/organizations/{ours}/{entity}", 404, eve, json=body)
        listed = send("GET", f"/organizations/{theirs}/{entity}", 200, eve)
        walk.check(listed["items"] == [], f"{entity} of another tenant are listed")
        if any(name.endswith("_id") for name in body):
            send("POST", f"/organizations/{theirs}/{entity}", 409, eve, json=body)
        kept = send("GET", f"/organizations/{ours}/{entity}/{row['id']}", 200, bob)
        walk.check(kept == row, f"{entity} were changed")
    walk.say("no route shows a row of one tenant to the other")

    send("PUT", f"/organizations/{ours}/{next(iter(rows))}", 405, ada)
    send("GET", "/nowhere", 404)
    counted = metric_sum(walk.http.get("/metrics").text) - before
    walk.check(
        counted == walk.requests + 1,
        f"/metrics counts {counted} of {walk.requests + 1} requests",
    )
    walk.say(f"/metrics counts all of the {walk.requests} requests")


def subscribe(walk: Walk, organization: str, owner: str, member: str) -> None:
    """Pay for an organization, by webhooks."""
    walk.send("GET", f"/organizations/{organization}/reports", 402, owner)
    subscription = pay(walk, organization, owner, "ours")
    walk.webhook("customer.subscription.deleted", subscription, 400, "whsec_forged")
    path = f"/organizations/{organization}/billing/subscription"
    state = walk.send("GET", path, 200, member)
    walk.check(
        (state["plan"], state["active"]) == ("team", True),
        f"the subscription is {state}",
    )
    walk.send("GET", f"/organizations/{organization}/reports", 200, owner)
    walk.send("POST", f"/organizations/{organization}/reports", 403, member, json={})
    walk.say("a signed webhook is accepted, a forged one refused")


def pay(walk: Walk, organization: str, owner: str, name: str) -> dict[str, Any]:
    """Deliver what Stripe sends when somebody subscribes, and see it processed."""
    customer = f"cus_{name}_{RUN}"
    checkout = {"customer": customer, "client_reference_id": organization}
    walk.webhook("checkout.session.completed", checkout)
    subscription = {
        "id": f"sub_{name}_{RUN}",
        "customer": customer,
        "status": "active",
        "items": {"data": [{"price": {"lookup_key": "acme_team_month"}}]},
    }
    path = f"/organizations/{organization}/billing/subscription"
    for _ in range(100):
        # Events come in any order: the one before may not be processed yet.
        walk.webhook("customer.subscription.created", subscription)
        time.sleep(0.1)
        if walk.send("GET", path, 200, owner)["active"]:
            return subscription
    sys.exit("FAILED no event was processed")


Rows = dict[str, tuple[dict[str, Any], dict[str, Any]]]


def make_rows(
    walk: Walk,
    token: str,
    organization: str,
    bodies: dict[str, dict[str, Any]],
) -> Rows:
    """Add a row of each entity and return it with the body it was made from."""
    rows: Rows = {}
    for entity, template in bodies.items():
        body = {
            name: rows[value[1:]][0]["id"] if str(value).startswith("@") else value
            for name, value in template.items()
        }
        path = f"/organizations/{organization}/{entity}"
        rows[entity] = walk.send("POST", path, 201, token, json=body), body
    return rows


# The entities of each example; `@projects` stands for the id of the row before.
MAKERS: dict[str, dict[str, dict[str, Any]]] = {
    "acme": {
        "projects": {"name": "a project", "budget": "12.50", "starts_on": "2026-01-31"},
        "tasks": {
            "project_id": "@projects",
            "title": "a task",
            "due_at": "2026-01-31T12:00:00Z",
        },
        "comments": {"task_id": "@tasks", "body": "a comment"},
        "reports": {
            "title": "a report",
            "period_start": "2026-01-01",
            "period_end": "2026-01-31",
            "parameters": {"a": [1]},
        },
    },
    "minimal": {"notes": {"title": "a note", "body": "a text"}},
}


def metric_sum(text: str) -> int:
    """Sum the counter of requests up."""
    return int(
        sum(
            float(value)
            for value in re.findall(
                "^http_requests_total{.*} (.*)$", text, re.MULTILINE
            )
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
