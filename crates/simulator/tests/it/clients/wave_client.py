"""wave-business-api (PyPI), unchanged: a session, payouts, a batch, a statement, and its check of our webhook's signature."""

import sys
import time

from wave_business_api import WaveClient
from wave_business_api.exceptions import WaveIdempotencyError, WaveNotFoundError, WaveValidationError
from wave_business_api.webhook import WebhookVerifier

client = WaveClient(api_key="wave_ci_test_simulator", base_url=sys.argv[1])


def until(read, done):
    for _ in range(100):
        value = read()
        if done(value):
            return value
        time.sleep(0.03)
    raise AssertionError(f"never done: {value}")


session = client.checkout.create_session(
    amount="1500", currency="XOF", success_url="https://app.example/ok", error_url="https://app.example/ko",
    client_reference="py-1",
)
paid = until(lambda: client.checkout.get_session(session["id"]), lambda s: s["checkout_status"] == "complete")
assert client.checkout.get_session_by_transaction(paid["transaction_id"])["id"] == session["id"]
assert client.checkout.search_sessions("py-1")[0]["payment_status"] == "succeeded"
try:
    client.checkout.get_session("cos-nothing")
    raise AssertionError("an unknown session was found")
except WaveNotFoundError:
    pass

payout = dict(currency="XOF", receive_amount="5000", mobile="+2250708091011", client_reference="py-2")
first = client.payout.create(**payout, idempotency_key="k")
assert first["status"] == "succeeded" and client.payout.create(**payout, idempotency_key="k") == first
try:
    client.payout.create(**{**payout, "receive_amount": "6000"}, idempotency_key="k")
    raise AssertionError("a key was taken for another body")
except WaveIdempotencyError:
    pass
try:
    client.payout.create(currency="XOF", receive_amount="5002", mobile="+2250708091011")
    raise AssertionError("a limit was passed")
except WaveValidationError as error:
    assert "limit" in str(error), error
assert client.payout.reverse(first["id"]) is None
assert client.payout.get(first["id"])["status"] == "reversed"
batch = client.payout.create_batch([{"currency": "XOF", "receive_amount": "700", "mobile": "+2250708091011"}])
done = until(lambda: client.payout.get_batch(batch["id"]), lambda b: b["status"] == "complete")
assert done["payouts"][0]["status"] == "succeeded", done
assert client.payout.verify_recipient(mobile="+2250708091011")["within_limits"] is True
kinds = [item["transaction_type"] for item in client.balance.get_all_transactions()]
assert "api_checkout" in kinds and "api_payout_reversal" in kinds, kinds
assert int(client.balance.get()["amount"]) > 0

if len(sys.argv) > 2:
    event = WebhookVerifier(signing_secret="wave_ci_WHS_simulator").verify_and_parse(sys.argv[3], sys.argv[2])
    assert event["type"] == "checkout.session.completed", event
