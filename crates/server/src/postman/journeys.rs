use serde_json::json;

use super::step::{Journey, Step};

/// In the order of the application's screens.
pub(super) fn all() -> Vec<Journey> {
    vec![start(), by_email(), by_phone(), citizens(), account(), pay(), refusals(), super::operators::journey()]
}

fn start() -> Journey {
    Journey {
        name: "0. Démarrer ici",
        description: "Vérifie que le serveur répond et choisit une adresse et des numéros neufs pour les parcours qui suivent.",
        steps: vec![
            Step::get("Le serveur est prêt", "/readyz")
                .before("const n = String(Math.floor(Math.random() * 1e8)).padStart(8, '0');")
                .before("pm.environment.set('email', `test${n}@gmail.com`);")
                .before("pm.environment.set('phone', `07${n}`);")
                .before("pm.environment.set('friendPhone', `05${n}`);")
                .before("pm.environment.set('password', 'MonMotDePasse123');"),
        ],
    }
}

fn by_email() -> Journey {
    let identifier = "{{email}}";
    Journey {
        name: "1. S'inscrire avec une adresse e-mail",
        description: "Les requêtes du cahier des charges, dans leur ordre. Le cookie `hostolink_flow`, que Postman garde, prouve que \
                      celui qui saisit le code est celui qui a défini le mot de passe.",
        steps: vec![
            Step::post("Vérifier si un utilisateur existe", "/api/check-user", json!({"identifier": identifier}))
                .check("l'utilisateur est inconnu", "data.exists === false && data.nextStep === 'register-user'"),
            Step::post(
                "Enregistrer un utilisateur (sans mot de passe)",
                "/api/register-user",
                json!({"identifier": identifier}),
            )
            .expect(201)
            .check("la suite est le mot de passe", "data.nextStep === 'define-password'")
            .save("flowTicket", "flowTicket"),
            Step::post(
                "Définir un mot de passe après inscription",
                "/api/define-password",
                json!({"identifier": identifier, "password": "{{password}}", "confirmPassword": "{{password}}"}),
            )
            .save("accessToken", "accessToken")
            .save("refreshToken", "refreshToken"),
            Step::post("Générer un OTP", "/api/generate-otp", json!({"identifier": identifier}))
                .expect(201)
                .check("le code revient en mode développement", "/^\\d{6}$/.test(data.otp)")
                .save("otp", "otp"),
            Step::post("Vérifier un OTP", "/api/verify-otp", json!({"identifier": identifier, "otpCode": "{{otp}}"}))
                .check("l'adresse est prouvée", "data.verified === true && data.nextStep === 'dashboard'"),
            Step::post(
                "Vérifier le PIN (mot de passe)",
                "/api/verify-pin",
                json!({"identifier": identifier, "otpCode": "{{password}}"}),
            )
            .about("`otpCode`, le nom du cahier des charges, est accepté comme autre nom de `password`.")
            .check("les jetons sont donnés", "data.accessToken.startsWith('hsa_')")
            .save("accessToken", "accessToken")
            .save("refreshToken", "refreshToken"),
            Step::get("Ouvrir le tableau de bord", "/api/dashboard").token("accessToken").check(
                "le profil et le portefeuille y sont",
                "data.user.emailVerified === true && data.wallet.balance === 0",
            ),
        ],
    }
}

fn by_phone() -> Journey {
    Journey {
        name: "2. S'inscrire avec un numéro",
        description: "Le même parcours avec un numéro ivoirien ; le deuxième utilisateur recevra l'argent plus loin.",
        steps: vec![
            Step::post("Enregistrer un numéro", "/api/register-user", json!({"identifier": "{{friendPhone}}"}))
                .expect(201)
                .save("flowTicket", "friendTicket"),
            Step::post(
                "Définir son mot de passe",
                "/api/define-password",
                json!({"identifier": "{{friendPhone}}", "password": "{{password}}", "flowTicket": "{{friendTicket}}"}),
            )
            .save("accessToken", "friendToken"),
            Step::post("Recevoir le code par SMS", "/api/generate-otp", json!({"identifier": "{{friendPhone}}"}))
                .expect(201)
                .check("par SMS, numéro masqué", "data.channel === 'sms' && data.destination.includes('**')")
                .save("otp", "otp"),
            Step::post(
                "Prouver le numéro",
                "/api/verify-otp",
                json!({"identifier": "{{friendPhone}}", "otpCode": "{{otp}}"}),
            )
            .token("friendToken")
            .check("le numéro est prouvé", "data.verified === true"),
            Step::get("Ouvrir le tableau de bord", "/api/dashboard")
                .token("friendToken")
                .check("la carte a son QR", "data.card.qr.payload.startsWith('000201')")
                .save("card.qr.payload", "friendQr"),
        ],
    }
}

fn citizens() -> Journey {
    Journey {
        name: "3. OTP des citoyens",
        description: "Le document « Gestion des OTP pour les Citoyens », mot pour mot : `POST /otp` avec `create` et `resend`.",
        steps: vec![
            Step::post(
                "Régénérer sans code existant",
                "/otp",
                json!({"type": "resend", "phoneNumber": "{{friendPhone}}"}),
            )
            .expect(400)
            .check(
                "le message du document",
                "body.message === \"Aucun OTP n'existe pour ce numéro. Utilisez le type 'create' pour en générer un.\"",
            ),
            Step::post("Créer un OTP", "/otp", json!({"type": "create", "phoneNumber": "{{friendPhone}}"}))
                .expect(201)
                .check("cinq chiffres", "body.message === 'OTP créé avec succès' && /^\\d{5}$/.test(data.otp)"),
            Step::post("Créer une seconde fois", "/otp", json!({"type": "create", "phoneNumber": "{{friendPhone}}"}))
                .expect(400)
                .check(
                    "le message du document",
                    "body.message === \"Un OTP existe déjà pour ce numéro. Utilisez le type 'resend' pour régénérer.\"",
                ),
            Step::post("Régénérer", "/otp", json!({"type": "resend", "phoneNumber": "{{friendPhone}}"})).check(
                "le message du document",
                "body.message === 'OTP régénéré avec succès' && data.phoneNumber === pm.environment.get('friendPhone')",
            ),
            Step::post("Type inconnu", "/otp", json!({"type": "delete", "phoneNumber": "{{friendPhone}}"}))
                .expect(400)
                .check(
                    "le message du document",
                    "body.message === \"Type d'opération invalide. Utilisez 'create' ou 'resend'.\"",
                ),
            Step::post("Champs manquants", "/otp", json!({"type": "create"}))
                .expect(400)
                .check("le message du document", "body.message === 'Champs requis manquants'"),
        ],
    }
}

fn account() -> Journey {
    Journey {
        name: "4. Mon compte",
        description: "Profil, code secret de paiement, sessions, renouvellement des jetons.",
        steps: vec![
            Step::patch("Dire son nom", "/api/me", json!({"firstName": "Awa", "lastName": "Koné"}))
                .token("accessToken")
                .check("le nom est gardé", "data.user.firstName === 'Awa'"),
            Step::get("Mon profil", "/api/me")
                .token("accessToken")
                .check("l'adresse est prouvée", "data.user.emailVerified === true"),
            Step::put("Choisir son code secret", "/api/me/pin", json!({"pin": "485926", "password": "{{password}}"}))
                .token("accessToken"),
            Step::post("Un mauvais code secret", "/api/me/unlock", json!({"pin": "111222"}))
                .token("accessToken")
                .expect(403)
                .check("il reste quatre essais", "body.triesLeft === 4"),
            Step::post("Déverrouiller les paiements", "/api/me/unlock", json!({"pin": "485926"})).token("accessToken"),
            Step::post("Renouveler les jetons", "/api/auth/refresh", json!({"refreshToken": "{{refreshToken}}"}))
                .save("accessToken", "accessToken")
                .save("refreshToken", "refreshToken"),
            Step::get("Mes sessions", "/api/me/sessions")
                .token("accessToken")
                .check("il y en a", "data.items.length >= 1"),
        ],
    }
}

fn pay() -> Journey {
    Journey {
        name: "5. Payer et recevoir",
        description: "Déposer par Wave (opérateur simulé), envoyer à un numéro, payer un QR, lire l'historique.",
        steps: vec![
            Step::get("Avec quoi déposer et retirer", "/api/providers").token("accessToken").check("Wave est disponible", "data.items.some(p => p.code === 'wave' && p.available)"),
            Step::post("Déposer 10 000 F par Wave", "/api/deposits", json!({"provider": "wave", "amount": 10000, "account": "{{phone}}"}))
                .token("accessToken")
                .keyed()
                .expect(202)
                .check("Wave ouvre sa page", "data.nextAction.type === 'open_url'")
                .save("transaction.id", "depositId"),
            Step::get("Attendre le dépôt", "/api/transactions/{{depositId}}")
                .token("accessToken")
                .until("data.transaction.status === 'succeeded'")
                .check("le dépôt a réussi", "data.transaction.status === 'succeeded' && data.transaction.amount === 10000"),
            Step::post("Combien cela coûte, et à qui", "/api/quotes", json!({"operation": "transfer", "amount": 1500, "to": "{{friendPhone}}"}))
                .token("accessToken")
                .check("le destinataire est nommé", "data.fee === 0 && data.payee.maskedIdentifier.includes('**')"),
            Step::post("Envoyer 1 500 F", "/api/transfers", json!({"to": "{{friendPhone}}", "amount": 1500, "note": "Pour le taxi", "pin": "485926"}))
                .token("accessToken")
                .keyed()
                .expect(201)
                .check("le solde baisse", "data.transaction.balanceAfter === 8500")
                .save("transaction.id", "transactionId"),
            Step::post("La même requête une seconde fois", "/api/transfers", json!({"to": "{{friendPhone}}", "amount": 1500, "note": "Pour le taxi", "pin": "485926"}))
                .token("accessToken")
                .again()
                .expect(201)
                .about("Un réseau qui coupe fait renvoyer : la même clé donne la même réponse, l'argent ne part qu'une fois.")
                .check("c'est la même opération", "data.transaction.id === pm.environment.get('transactionId') && pm.response.headers.get('Idempotency-Replayed') === 'true'"),
            Step::post("Lire un QR scanné", "/api/qr-codes/decode", json!({"payload": "{{friendQr}}"}))
                .token("accessToken")
                .check("le bénéficiaire est nommé", "data.currency === 'XOF' && data.payee.maskedIdentifier.length > 0"),
            Step::post("Payer le QR", "/api/payments/qr", json!({"payload": "{{friendQr}}", "amount": 2500, "pin": "485926"}))
                .token("accessToken")
                .keyed()
                .expect(201)
                .check("le solde baisse", "data.transaction.balanceAfter === 6000 && data.transaction.type === 'qr_payment'"),
            Step::get("L'autre a reçu", "/api/wallet").token("friendToken").check("son solde", "data.balance === 4000"),
            Step::get("Historique", "/api/transactions?limit=10").token("accessToken").check("trois opérations", "data.items.length === 3"),
            Step::post("Demander un paiement par QR", "/api/qr-codes", json!({"amount": 700, "note": "Attiéké", "singleUse": true}))
                .token("friendToken")
                .expect(201)
                .save("payload", "onceQr"),
            Step::post("Le payer", "/api/payments/qr", json!({"payload": "{{onceQr}}", "pin": "485926"})).token("accessToken").keyed().expect(201),
            Step::post("Le payer encore", "/api/payments/qr", json!({"payload": "{{onceQr}}", "pin": "485926"}))
                .token("accessToken")
                .keyed()
                .expect(422)
                .check("déjà utilisé", "body.code === 'wallet.qr_used'"),
            Step::get("Tableau de bord", "/api/dashboard").token("accessToken").check("les dernières opérations", "data.transactions.length >= 4"),
        ],
    }
}

fn refusals() -> Journey {
    Journey {
        name: "6. Refus",
        description: "Ce que l'application doit savoir montrer : chaque refus a un code stable et une phrase.",
        steps: vec![
            Step::post("La lettre O n'est pas un zéro", "/api/check-user", json!({"identifier": "07O7070707"}))
                .expect(400),
            Step::post("Un ancien numéro à huit chiffres", "/api/check-user", json!({"identifier": "07070707"}))
                .expect(400)
                .check("la phrase dit pourquoi", "body.errors[0].code === 'identifier_eight_digits'"),
            Step::post("Un champ manquant", "/api/check-user", json!({}))
                .expect(400)
                .check("le champ est nommé", "body.errors[0].field === 'identifier'"),
            Step::post(
                "Un mauvais mot de passe",
                "/api/verify-pin",
                json!({"identifier": "{{email}}", "password": "pas le bon"}),
            )
            .expect(401),
            Step::get("Sans jeton", "/api/me").expect(401),
            Step::post(
                "Un montant avec des centimes",
                "/api/transfers",
                json!({"to": "{{friendPhone}}", "amount": 10.5}),
            )
            .token("accessToken")
            .keyed()
            .expect(400),
            Step::post("Sans clé d'idempotence", "/api/transfers", json!({"to": "{{friendPhone}}", "amount": 10}))
                .token("accessToken")
                .expect(400)
                .check("le code le dit", "body.code === 'request.idempotency_key_missing'"),
            Step::post(
                "Plus que le solde",
                "/api/transfers",
                json!({"to": "{{friendPhone}}", "amount": 199_000, "pin": "485926"}),
            )
            .token("accessToken")
            .keyed()
            .expect(422)
            .check("solde insuffisant", "body.code === 'wallet.insufficient_funds'"),
            Step::delete("La session d'un autre", "/api/me/sessions/01890a5d-ac96-774b-bcce-b302099a8057")
                .token("accessToken")
                .expect(404),
            Step::get("Réservé aux administrateurs", "/api/users").token("accessToken").expect(403),
        ],
    }
}
