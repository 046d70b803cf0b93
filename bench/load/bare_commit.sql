-- The rows of one payment of ours, written and committed by one statement: two accounts, an operation, two entries, a
-- batch of one. No decision, no key looked up, no limit: what PostgreSQL alone takes.
\set a random(1, :people)
\set b 1 + (:a - 1 + random(1, :people - 1)) % :people
\set k random(1, 9000000000000000000)
WITH payer AS (
  UPDATE nu.compte SET debits = debits + 1, solde_compte = solde_compte - 1, version = version + 1, dernier_le = now()
   WHERE id_user = :a AND principal RETURNING id_compte, version, credits - debits AS solde
), payee AS (
  UPDATE nu.compte SET credits = credits + 1, solde_compte = solde_compte + 1, version = version + 1, dernier_le = now()
   WHERE id_user = :b AND principal RETURNING id_compte, version, credits - debits AS solde
), operation AS (
  INSERT INTO nu.transaction (id_transaction, public_id, nature, statut, initiateur, cle, empreinte, id_compte_expediteur,
                              id_compte_recepteur, montant, solde_expediteur, solde_recepteur)
  SELECT (:k)::bigint, gen_random_uuid(), 'transfert', 'reussie', p.id_compte, (:k)::bigint::text, '\x00112233445566778899aabbccddeeff',
         p.id_compte, q.id_compte, 1, p.solde, q.solde FROM payer p, payee q
), entries AS (
  INSERT INTO nu.ecriture (id_compte, version, id_transaction, montant, solde_apres, cree_le)
  SELECT id_compte, version, (:k)::bigint, -1, solde, now() FROM payer UNION ALL SELECT id_compte, version, (:k)::bigint, 1, solde, now() FROM payee
)
INSERT INTO nu.lot (premier, dernier, nombre, racine, cree_le)
VALUES ((:k)::bigint, (:k)::bigint, 1, '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', now());
