"""A payment provider for the demo and the tests: a server that speaks the part of Stripe's API that the clinic uses.

Objects, form-encoded requests, idempotency keys, errors and the signatures of webhooks are as Stripe has them
(https://docs.stripe.com/api), so that the clinic talks to it by Stripe's own SDK. No money moves: its page says so, and
asks for no card. It is plain Python and keeps its objects in a file, if it is given one.
"""

import hashlib
import hmac
import html
import json
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]
HOST = "127.0.0.1"
SECRET_KEY, WEBHOOK_SECRET = "sk_test_demo", "whsec_demo"  # of the demo; they open nothing anywhere else
PAYMENTS_FILE = "payments.json"
SHORTEST = 30 * 60  # seconds, of a session: Stripe allows no shorter one
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test payment</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.0625rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 30rem; padding: 1.5rem; }}
  .test {{ border: 3px dashed; border-radius: 10px; padding: 0.75rem 1rem; }}
  .sum {{ font-size: 2rem; font-weight: 700; margin: 1rem 0 0; }}
  form {{ display: grid; gap: 0.75rem; margin-top: 1.5rem; }}
  button, a {{ box-sizing: border-box; display: block; font: inherit; min-height: 44px; padding: 0.5rem 1rem; }}
  a {{ text-align: center; }}
</style></head><body><main>
<h1>Test payment</h1>
<p class="test"><strong>This is a test page. No money moves, and no card is needed.</strong>
A real clinic has the page of its payment provider here.</p>
{notice}<p class="sum">{amount}</p><p>{label}</p>
<form method="post"><button name="card" value="good">{pay}</button>
<button name="card" value="declined">Use a card that is declined</button></form>
<p><a href="{cancel}">Cancel and go back</a></p>
</main></body></html>
"""


class StripeError(Exception):
    """An error as Stripe tells it."""

    def __init__(self, message: str, *, kind: str = "invalid_request_error", code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


class LocalProvider:
    """The objects of the provider, and what requests do to them.

    Each request is handled under one lock. Events go to `webhook_url`, if there is one, and are kept in `events`. A
    test can set `is_down`, so that requests get no useful answer, or `breaks_after`, so that the answers to requests
    whose path ends so are lost after they were handled.
    """

    def __init__(
        self, *, secret_key: str, webhook_secret: str, webhook_url: str = "", file: Path | None = None
    ) -> None:
        self.secret_key, self.webhook_secret, self.webhook_url = secret_key, webhook_secret, webhook_url
        self.base = ""
        self.objects: dict[str, Json] = {}
        self.answers: dict[str, tuple[str, Json]] = {}
        self.events: list[Json] = []
        self.requests: list[tuple[str, str]] = []
        self.is_down = False
        self.breaks_after = ""
        self._file = file
        self._lock = threading.RLock()
        if file is not None and file.exists():
            kept = json.loads(file.read_text())
            self.objects, self.answers = kept["objects"], {key: (a, b) for key, (a, b) in kept["answers"].items()}

    def answer(self, method: str, path: str, params: Json, key: str) -> Json:
        """Handle a request once for each idempotency key."""
        with self._lock:
            self.requests.append((method, path))
            fingerprint = json.dumps([method, path, params], sort_keys=True)
            if key and key in self.answers:
                known, earlier = self.answers[key]
                if known != fingerprint:
                    raise StripeError("Keys for idempotent requests can only be used with the same parameters.")
                return earlier
            answer: Json = json.loads(json.dumps(self._handle(method, path.strip("/").split("/")[1:], params)))
            if key:
                self.answers[key] = (fingerprint, answer)
            self.keep()
            return answer

    def pay(self, session_id: str, card: str = "good") -> bool:
        """Do what the patient does on the page. Returns False if the card was declined or the page has ended."""
        with self._lock:
            session = self._expired_by_time(self.objects[session_id])
            if session["status"] != "open" or card != "good":
                return False
            session["status"] = "complete"
            customer = session["customer"] = self._new("customer", "cus")["id"]
            details: Json = {"customer": customer, "payment_method": self._new_card(customer)}
            if session["mode"] == "setup":
                self.objects[session["setup_intent"]] |= {"status": "succeeded", **details}
            else:
                amount = {"amount": session["amount_total"], "currency": session["currency"]}
                intent = self._new(
                    "payment_intent", "pi", status="requires_capture", amount_capturable=amount["amount"],
                    metadata=session["intent_metadata"], amount_received=0, **amount, **details,
                )  # fmt: skip
                session["payment_intent"] = intent["id"]
            self.keep()
        self.tell("checkout.session.completed", session)
        return True

    def record_payment(self, amount: int, currency: str, *, keeps_card: bool = False) -> Json:
        """Record a payment of the past, or a card that was kept, as if a patient had been on the page."""
        customer = self._new("customer", "cus")["id"]
        details: Json = {"customer": customer, "payment_method": self._new_card(customer)}
        kind, prefix = ("setup_intent", "seti") if keeps_card else ("payment_intent", "pi")
        amounts = {} if keeps_card else {"amount": amount, "amount_received": amount, "currency": currency}
        return self._new(kind, prefix, status="succeeded", metadata={}, **amounts, **details)

    def tell(self, kind: str, thing: Json) -> None:
        """Send an event to the clinic, at once and without a second attempt."""
        event = {
            "id": _id("evt"), "object": "event", "type": kind, "created": int(time.time()),
            "data": {"object": self._shown(thing)},
        }  # fmt: skip
        self.events.append(event)
        if self.webhook_url:
            body = json.dumps(event).encode()
            headers = {"Content-Type": "application/json", "Stripe-Signature": self.signature(body)}
            request = urllib.request.Request(self.webhook_url, body, headers)
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except (urllib.error.URLError, OSError) as error:
                sys.stderr.write(f"The webhook was not taken: {error}\n")

    def signature(self, body: bytes) -> str:
        """The header Stripe-Signature of a body: https://docs.stripe.com/webhooks#verify-manually"""
        now = int(time.time())
        signed = hmac.new(self.webhook_secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={now},v1={signed}"

    def _handle(self, method: str, path: list[str], params: Json) -> Json:
        match method, path:
            case "POST", ["checkout", "sessions"]:
                return self._new_session(params)
            case "GET", ["checkout", "sessions", name]:
                return self._shown(self._expired_by_time(self._get(name)), params.get("expand", []))
            case "POST", ["checkout", "sessions", name, "expire"]:
                return self._shown(self._expire(name))
            case "POST", ["payment_intents"]:
                return self._charge(params)
            case "GET", ["payment_intents"]:
                return self._list("payment_intent", customer=params["customer"])
            case "GET", ["payment_intents" | "payment_methods", name]:
                return self._get(name)
            case "POST", ["payment_intents", name, "capture"]:
                intent = self._change(name, "requires_capture", "succeeded")
                return intent | {"amount_received": intent["amount"]}
            case "POST", ["payment_intents", name, "cancel"]:
                return self._change(name, "requires_capture", "canceled")
            case "POST", ["payment_methods", name, "detach"]:
                return self._detach(name)
            case "POST", ["refunds"]:
                return self._refund(params)
            case "GET", ["refunds"]:
                return self._list("refund", payment_intent=params["payment_intent"])
        raise StripeError(f"Unrecognized request URL ({method}: /{'/'.join(path)}).", status=HTTPStatus.NOT_FOUND)

    def _new_session(self, params: Json) -> Json:
        if not int(time.time()) + SHORTEST <= int(params["expires_at"]) <= int(time.time()) + 24 * 3600:
            raise StripeError("The `expires_at` timestamp must be at least 30 minutes and less than 24 hours ahead.")
        for needed in ("success_url", "mode"):
            if not params.get(needed):
                raise StripeError(f"Missing required param: {needed}.", code="parameter_missing")
        is_setup = params["mode"] == "setup"
        setup = self._new("setup_intent", "seti", status="requires_payment_method") if is_setup else None
        line = {} if is_setup else params["line_items"][0]
        price = line.get("price_data", {})
        return self._shown(
            self._new(
                "checkout.session",
                "cs_test",
                mode=params["mode"],
                status="open",
                client_reference_id=params.get("client_reference_id"),
                amount_total=int(price["unit_amount"]) * int(line["quantity"]) if price else None,
                currency=price.get("currency"),
                label=price.get("product_data", {}).get("name", "A card to keep"),
                success_url=params["success_url"],
                cancel_url=params.get("cancel_url", ""),
                expires_at=int(params["expires_at"]),
                setup_intent=setup["id"] if setup else None,
                payment_intent=None,
                customer=None,
                metadata=params.get("metadata", {}),
                intent_metadata=params.get("payment_intent_data", {}).get("metadata", {}),
            )
        )

    def _expire(self, name: str) -> Json:
        session = self._expired_by_time(self._get(name))
        if session["status"] != "open":
            raise StripeError('Only Checkout Sessions with a status in ["open"] can be expired.')
        session["status"] = "expired"
        return session

    def _expired_by_time(self, session: Json) -> Json:
        if session["status"] == "open" and session["expires_at"] <= time.time():
            session["status"] = "expired"
        return session

    def _charge(self, params: Json) -> Json:
        method = self._get(params["payment_method"])
        if method["customer"] != params["customer"]:
            raise StripeError(
                "The PaymentMethod does not belong to the Customer.", code="payment_method_unexpected_state"
            )
        if method.get("declines"):
            raise StripeError("Your card was declined.", kind="card_error", code="card_declined", status=402)
        return self._new(
            "payment_intent",
            "pi",
            status="succeeded",
            amount=int(params["amount"]),
            amount_received=int(params["amount"]),
            currency=params["currency"],
            customer=params["customer"],
            payment_method=method["id"],
            metadata=params.get("metadata", {}),
        )

    def _change(self, name: str, before: str, after: str) -> Json:
        intent = self._get(name)
        if intent["status"] != before:
            text = f"This PaymentIntent has a status of {intent['status']}, and only one of {before} can be changed."
            raise StripeError(text, code="payment_intent_unexpected_state")
        intent["status"] = after
        if after == "succeeded":
            intent["amount_received"] = intent["amount"]
        return intent

    def _detach(self, name: str) -> Json:
        method = self._get(name)
        if method["customer"] is None:
            raise StripeError("The payment method is not attached to a customer.")
        method["customer"] = None
        return method

    def _refund(self, params: Json) -> Json:
        intent = self._get(params["payment_intent"])
        refunds = [each for each in self._all("refund") if each["payment_intent"] == intent["id"]]
        left = intent["amount_received"] - sum(each["amount"] for each in refunds)
        amount = int(params.get("amount", left))
        if left <= 0:
            raise StripeError("Charge has already been refunded.", code="charge_already_refunded")
        if amount > left:
            raise StripeError(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).")
        return self._new(
            "refund",
            "re",
            amount=amount,
            payment_intent=intent["id"],
            currency=intent["currency"],
            status="succeeded",
            metadata=params.get("metadata", {}),
        )

    def _new_card(self, customer: str) -> str:
        return str(self._new("payment_method", "pm", customer=customer, type="card")["id"])

    def _new(self, kind: str, prefix: str, **values: Any) -> Json:
        thing = {"id": _id(prefix), "object": kind, "created": int(time.time()), "livemode": False, **values}
        self.objects[thing["id"]] = thing
        return thing

    def _get(self, name: str) -> Json:
        if name not in self.objects:
            raise StripeError(f"No such object: '{name}'", code="resource_missing", status=HTTPStatus.NOT_FOUND)
        return self.objects[name]

    def _all(self, kind: str) -> list[Json]:
        return [each for each in self.objects.values() if each["object"] == kind]

    def _list(self, kind: str, **condition: str) -> Json:
        found = [each for each in self._all(kind) if all(each.get(name) == value for name, value in condition.items())]
        return {"object": "list", "data": found[::-1], "has_more": False, "url": f"/v1/{kind}s"}

    def _shown(self, thing: Json, expand: list[str] | None = None) -> Json:
        shown = {name: value for name, value in thing.items() if name not in ("intent_metadata", "label")}
        if thing["object"] == "checkout.session" and thing["status"] == "open":
            shown["url"] = f"{self.base}/pay/{thing['id']}"
        for name in expand or ():
            if shown.get(name):
                shown[name] = self.objects[shown[name]]
        return shown

    def page(self, session_id: str, *, declined: bool = False) -> str:
        """The page on which the patient pays."""
        with self._lock:
            session = self._get(session_id)
        is_setup = session["mode"] == "setup"
        amount = "" if is_setup else f"{session['currency'].upper()} {session['amount_total'] / 100:.2f}"
        notice = '<p role="alert"><strong>The card was declined. Try another one.</strong></p>' if declined else ""
        words = {
            "amount": amount or "Nothing is charged now",
            "label": session["label"],
            "pay": "Keep this card" if is_setup else f"Pay {amount}",
            "cancel": session["cancel_url"],
        }
        return PAGE.format(notice=notice, **{name: html.escape(text) for name, text in words.items()})

    def keep(self) -> None:
        """Write the objects to the file, if there is one."""
        if self._file is not None:
            self._file.write_text(json.dumps({"objects": self.objects, "answers": self.answers}))


class _Handler(BaseHTTPRequestHandler):
    """Requests of the SDK below /v1/, and of browsers below /pay/."""

    provider: LocalProvider
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path.startswith("/pay/"):
            self._page(address.path.removeprefix("/pay/"))
        else:
            self._api("GET", _nested(address.query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if not self.path.startswith("/pay/"):
            self._api("POST", _nested(body))
            return
        session = self.path.removeprefix("/pay/")
        if self.provider.pay(session, dict(parse_qsl(body)).get("card", "")):
            self._send(HTTPStatus.SEE_OTHER, b"", location=self.provider.objects[session]["success_url"])
        else:
            self._page(session, declined=True)

    def _page(self, session: str, *, declined: bool = False) -> None:
        kept = self.provider.objects.get(session)
        if kept is None or kept["status"] != "open":
            text = "<!doctype html><html lang=en><title>Test payment</title><h1>This page has ended.</h1>"
            self._send(HTTPStatus.OK if kept else HTTPStatus.NOT_FOUND, text.encode(), kind="text/html; charset=utf-8")
            return
        page = self.provider.page(session, declined=declined)
        self._send(HTTPStatus.OK, page.encode(), kind="text/html; charset=utf-8")

    def _api(self, method: str, params: Json) -> None:
        path = urlsplit(self.path).path
        status, body = self._answered(method, path, params)
        if self.provider.breaks_after and path.endswith(self.provider.breaks_after):
            status, body = 500, {"error": {"type": "api_error", "message": "The answer was lost."}}
        self._send(status, json.dumps(body).encode())

    def _answered(self, method: str, path: str, params: Json) -> tuple[int, Json]:
        if self.provider.is_down:
            return 500, {"error": {"type": "api_error", "message": "The provider is down."}}
        if self.headers.get("Authorization") != f"Bearer {self.provider.secret_key}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided."}}
        try:
            return 200, self.provider.answer(method, path, params, self.headers.get("Idempotency-Key", ""))
        except StripeError as error:
            return error.status, error.body

    def _send(self, status: int, body: bytes, *, kind: str = "application/json", location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Log nothing: addresses name sessions."""


def serve(provider: LocalProvider, port: int = 0) -> ThreadingHTTPServer:
    """Return a server for the provider on this machine, which is not running yet."""
    server = ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    provider.base = f"http://{HOST}:{server.server_address[1]}"
    return server


def _id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def _nested(body: str) -> Any:
    """Read form-encoded parameters with brackets: `line_items[0][quantity]=1`."""
    found: Json = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        keys = name.replace("]", "").split("[")
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return _with_lists(found)


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _with_lists(item) for key, item in value.items()}
    is_list = bool(items) and all(key.isdigit() or not key for key in items)
    return list(items.values()) if is_list else items


def main(arguments: list[str]) -> None:
    """The command: `python -m demo.stripe_server PORT FILE WEBHOOK_URL`."""
    port, file, webhook_url = arguments
    provider = LocalProvider(
        secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, webhook_url=webhook_url, file=Path(file)
    )
    serve(provider, int(port)).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
