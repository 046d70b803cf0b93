"""cinetpay-python (PyPI), unchanged: a payment, a repeated one, a refused one, a transfer, a balance."""

import sys
import time

from cinetpay import (
    ApiError,
    CinetPayClient,
    ClientConfig,
    CountryCredentials,
    PaymentRequest,
    TransferRequest,
)

keys = CountryCredentials(api_key="sk_test_simulator", api_password="simulator-password")
client = CinetPayClient(ClientConfig(credentials={"CI": keys}, base_url=sys.argv[1]))


def payment(reference, amount):
    return PaymentRequest(
        currency="XOF", merchant_transaction_id=reference, amount=amount, lang="fr", designation="Depot",
        client_email="awa@example.com", client_first_name="Awa", client_last_name="Kone",
        success_url="https://app.example/ok", failed_url="https://app.example/ko",
        notify_url="https://app.example/hook", channel="PUSH", payment_method="MTN_CI",
        client_phone_number="+2250504030201", direct_pay=True,
    )


def settled(read, identifier):
    for _ in range(100):
        state = read(identifier, "CI")
        if state.status not in ("INITIATED", "PENDING"):
            return state
        time.sleep(0.02)
    raise AssertionError(f"{identifier} stays pending")


made = client.payment.initialize(payment("py-1", 1500), "CI")
assert made.payment_token and made.notify_token and not made.details.must_be_redirected, made
paid = settled(client.payment.get_status, made.payment_token)
assert paid.status == "SUCCESS" and paid.user.phone_number == "+2250504030201", paid
try:
    client.payment.initialize(payment("py-1", 1500), "CI")
    raise AssertionError("a repeated id was accepted")
except ApiError as error:
    assert error.api_code == 1200, error
client.payment.initialize(payment("py-2", 1505), "CI")
assert settled(client.payment.get_status, "py-2").status == "INSUFFICIENT_BALANCE"

sent = client.transfer.create(
    TransferRequest(
        currency="XOF", merchant_transaction_id="py-3", phone_number="+2250504030201", amount=5000,
        payment_method="MTN_CI", reason="Retrait", notify_url="https://app.example/hook",
    ),
    "CI",
)
assert settled(client.transfer.get_status, sent.transaction_id).amount == "5000"
assert int(client.balance.get("CI").available_balance) > 0
