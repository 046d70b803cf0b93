"""momo-openapi (PyPI), unchanged: collect, fail, and pay out, with the keys of the Ivorian environment."""

import sys
import time
import uuid

from momo_openapi import Collection, Disbursement, MomoConfig

BASE_URL = sys.argv[1]


def config(product, user):
    return MomoConfig(
        subscription_key=f"simulator-{product}-subscription",
        user_id=f"6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f0{user}",
        credential_token=f"simulator-{product}-api-key",
        target_environment="mtnivorycoast",
        base_url=BASE_URL,
        currency="XOF",
    )


def settled(client, reference):
    for _ in range(100):
        state = client.get_transaction_status(reference)
        if state["status"] != "PENDING":
            return state
        time.sleep(0.02)
    raise AssertionError(f"{reference} stays pending")


collection = Collection(config("collection", 1))
reference = str(uuid.uuid4())
collection.request_to_pay(1500, "2250504030201", "py-1", reference_id=reference)
paid = settled(collection, reference)
assert paid["status"] == "SUCCESSFUL" and paid["amount"] == "1500", paid
failed = settled(collection, collection.request_to_pay(1500, "2250504030455", "py-2"))
assert failed["status"] == "FAILED" and failed["reason"] == "PAYER_NOT_FOUND", failed

disbursement = Disbursement(config("disbursement", 2))
sent = settled(disbursement, disbursement.transfer(700, "2250504030201", "py-3"))
assert sent["status"] == "SUCCESSFUL", sent
balance = disbursement.get_balance()
assert int(balance["availableBalance"]) > 0 and balance["currency"] == "XOF", balance
