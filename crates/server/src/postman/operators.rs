use serde_json::{Value, json};

use super::step::{Journey, Step};

/// Every operator both ways: what a deposit asks of the customer, and an account that the simulated operators like.
const WAYS: [(&str, &str, &str, &str); 6] = [
    ("wave", "0708091014", "0708091014", "open_url"),
    ("orange_money", "0708091014", "0708091014", "open_url"),
    ("mtn_momo", "0504030201", "0504030201", "approve_on_phone"),
    ("moov_money", "0102030405", "0102030405", "approve_on_phone"),
    ("djamo", "0708091014", "0708091014", "open_url"),
    ("bank", "9b1b2499-3e50-435b-b757-ac7a83d8aa8c", "CI93CI0080111301134291200589", "approve_on_phone"),
];

/// Francs in and out of each.
const IN: i64 = 6_000;
const OUT: i64 = 5_000;

/// Money in and out by every operator, in the development mode's own time: they agree within a second.
pub(super) fn journey() -> Journey {
    let mut steps = vec![
        Step::get("Avec quoi, et à quel prix", "/api/providers")
            .token("accessToken")
            .check("tous sont disponibles", "data.items.length === 7 && data.items.every(p => p.deposit.available)")
            .check(
                "la carte ne reçoit pas de retrait",
                "data.items.every(p => p.withdrawal.available === (p.code !== 'card'))",
            ),
    ];
    for (provider, payer, payee, action) in WAYS {
        steps.extend(deposit(deposit_names(provider), order(provider, IN, payer), action));
        steps.extend(withdrawal(withdrawal_names(provider), order(provider, OUT, payee)));
    }
    steps.extend(deposit(("Déposer par carte", "Attendre la carte"), order("card", IN, "nouvelle"), "open_url"));
    steps.extend(by_code());
    steps.push(
        Step::post("Un numéro de carte n'est jamais accepté", "/api/cards", json!({"token": "4111 1111 1111 1111"}))
            .token("accessToken")
            .expect(422)
            .check("le code le dit", "body.code === 'wallet.card_number_refused'"),
    );
    Journey {
        name: "7. Déposer et retirer",
        description: "Chaque opérateur dans les deux sens, auprès des opérateurs simulés du mode développement, qui acceptent d'eux-mêmes \
                      en moins d'une seconde. `nextAction` dit ce que le client doit faire : ouvrir une page, valider sur son téléphone, \
                      ou donner un code.",
        steps,
    }
}

/// Names of requests are fixed texts: a request that waits calls itself by its name.
fn deposit_names(provider: &str) -> (&'static str, &'static str) {
    match provider {
        "wave" => ("Déposer par Wave", "Attendre Wave"),
        "orange_money" => ("Déposer par Orange Money", "Attendre Orange Money"),
        "mtn_momo" => ("Déposer par MTN MoMo", "Attendre MTN MoMo"),
        "moov_money" => ("Déposer par Moov Money", "Attendre Moov Money"),
        "djamo" => ("Déposer par Djamo", "Attendre Djamo"),
        _ => ("Déposer depuis une banque", "Attendre la banque"),
    }
}

fn withdrawal_names(provider: &str) -> (&'static str, &'static str) {
    match provider {
        "wave" => ("Retirer vers Wave", "Wave a payé"),
        "orange_money" => ("Retirer vers Orange Money", "Orange Money a payé"),
        "mtn_momo" => ("Retirer vers MTN MoMo", "MTN MoMo a payé"),
        "moov_money" => ("Retirer vers Moov Money", "Moov Money a payé"),
        "djamo" => ("Retirer vers Djamo", "Djamo a payé"),
        _ => ("Retirer vers une banque", "La banque a reçu"),
    }
}

fn order(provider: &str, amount: i64, account: &str) -> Value {
    json!({"provider": provider, "amount": amount, "account": account})
}

fn deposit((ask, wait): (&'static str, &'static str), body: Value, action: &str) -> [Step; 2] {
    let condition = match action {
        "open_url" => "data.nextAction.type === 'open_url' && data.nextAction.url.startsWith('http')",
        _ => "data.nextAction.type === 'approve_on_phone'",
    };
    [
        Step::post(ask, "/api/deposits", body)
            .token("accessToken")
            .keyed()
            .expect(202)
            .check("ce que le client doit faire", condition)
            .save("transaction.id", "depositId"),
        ended(wait, "/api/transactions/{{depositId}}"),
    ]
}

fn withdrawal((ask, wait): (&'static str, &'static str), mut body: Value) -> [Step; 2] {
    body["pin"] = json!("485926");
    [
        Step::post(ask, "/api/withdrawals", body)
            .token("accessToken")
            .keyed()
            .expect(202)
            .save("transaction.id", "withdrawalId"),
        ended(wait, "/api/transactions/{{withdrawalId}}"),
    ]
}

/// Orange's customers without a browser confirm with a code that their operator gives by USSD.
fn by_code() -> [Step; 3] {
    [
        Step::post(
            "Déposer par Orange Money avec un code",
            "/api/deposits",
            json!({"provider": "orange_money", "amount": IN, "account": "0708091014", "withCode": true}),
        )
        .token("accessToken")
        .keyed()
        .expect(202)
        .check("un code est demandé", "data.nextAction.type === 'enter_code'")
        .save("transaction.id", "depositId"),
        Step::post("Donner le code reçu par USSD", "/api/deposits/{{depositId}}/code", json!({"code": "4821"}))
            .token("accessToken")
            .expect(202),
        ended("Attendre Orange Money après le code", "/api/transactions/{{depositId}}"),
    ]
}

fn ended(name: &'static str, path: &'static str) -> Step {
    Step::get(name, path)
        .token("accessToken")
        .until("data.transaction.status !== 'pending'")
        .check("l'opération a réussi", "data.transaction.status === 'succeeded'")
}
