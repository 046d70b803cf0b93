// mtn-momo (npm), unchanged: provision a sandbox user, collect, fail, and pay out.
const assert = require("node:assert");
const momo = require("mtn-momo");

const [baseUrl] = process.argv.slice(2);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function settled(product, id) {
  for (let look = 0; look < 100; look += 1) {
    const transaction = await product.getTransaction(id);
    if (transaction.status !== "PENDING") return transaction;
    await wait(20);
  }
  throw new Error(`${id} stays pending`);
}

async function main() {
  const { Users, Collections, Disbursements } = momo.create({ callbackHost: "127.0.0.1", baseUrl });
  const credentials = async (primaryKey) => {
    const users = Users({ primaryKey });
    const userId = await users.create("127.0.0.1");
    const { apiKey: userSecret } = await users.login(userId);
    return { primaryKey, userId, userSecret };
  };
  const payer = { partyIdType: "MSISDN", partyId: "2250504030201" };
  const order = { amount: "50", currency: "EUR", externalId: "js-1", payerMessage: "m", payeeNote: "n" };

  const collections = Collections(await credentials("simulator-collection-subscription"));
  const paid = await settled(collections, await collections.requestToPay({ ...order, payer }));
  assert.strictEqual(paid.status, "SUCCESSFUL");
  assert.strictEqual(paid.amount, "50");
  assert.ok(paid.financialTransactionId);
  assert.strictEqual((await collections.isPayerActive("2250504030201")).result, true);

  const poor = await collections.requestToPay({ ...order, payer: { ...payer, partyId: "46733123451" } });
  await assert.rejects(settled(collections, poor), momo.ApprovalRejectedError);

  const disbursements = Disbursements(await credentials("simulator-disbursement-subscription"));
  const sent = await settled(disbursements, await disbursements.transfer({ ...order, payee: payer }));
  assert.strictEqual(sent.status, "SUCCESSFUL");
  assert.strictEqual((await disbursements.getBalance()).currency, "EUR");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
