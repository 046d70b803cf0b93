//! What has to hold, as queries that give what does not. One text column a row: ids and amounts, nothing of a person.

pub(super) const ALL: [(&str, &str); 15] = [
    ("sum_zero", SUM_ZERO),
    ("balances", BALANCES),
    ("versions", VERSIONS),
    ("running_balance", RUNNING),
    ("projection", PROJECTION),
    ("postings", POSTINGS),
    ("operation_balances", OPERATION_BALANCES),
    ("holds", HOLDS),
    ("captures", CAPTURES),
    ("open_states", OPEN_STATES),
    ("refunds", REFUNDS),
    ("counters", COUNTERS),
    ("floors", FLOORS),
    ("used_once", USED_ONCE),
    ("deletable", DELETABLE),
];

/// What everybody has is what was given: all balances, and all that is on its way, cancel out.
const SUM_ZERO: &str = "SELECT 'soldes ' || sum(credits - debits) FROM compte HAVING sum(credits - debits) <> 0 \
    UNION ALL SELECT 'écritures ' || sum(montant) FROM ecriture HAVING sum(montant) <> 0";

const BALANCES: &str = "SELECT 'compte ' || coalesce(c.id_compte, e.id_compte) FROM compte c FULL JOIN (\
      SELECT id_compte, sum(montant) FILTER (WHERE montant > 0) AS credits, -sum(montant) FILTER (WHERE montant < 0) AS debits, \
        max(version) AS version FROM ecriture GROUP BY id_compte) e ON e.id_compte = c.id_compte \
    WHERE c.id_compte IS NULL OR c.credits <> coalesce(e.credits, 0) OR c.debits <> coalesce(e.debits, 0) OR c.version <> coalesce(e.version, 0)";

const VERSIONS: &str = "SELECT 'compte ' || id_compte FROM ecriture GROUP BY id_compte HAVING min(version) <> 1 OR max(version) <> count(*)";

const RUNNING: &str = "SELECT 'compte ' || id_compte || ' version ' || version FROM (\
      SELECT id_compte, version, solde_apres, cree_le, sum(montant) OVER w AS somme, lag(cree_le) OVER w AS avant FROM ecriture \
      WINDOW w AS (PARTITION BY id_compte ORDER BY version)) e WHERE solde_apres <> somme OR cree_le < avant";

const PROJECTION: &str = "SELECT 'compte ' || id_compte FROM compte WHERE solde_compte <> credits - debits";

/// Entries are a function of the operations: what each should have posted against what is posted.
const POSTINGS: &str = "SELECT 'operation ' || id_transaction || ' compte ' || id_compte FROM (\
      SELECT t.id_transaction, l.id_compte, l.montant FROM transaction t CROSS JOIN LATERAL (VALUES \
        (t.id_compte_expediteur, -(t.montant::bigint + t.frais)), (t.id_compte_recepteur, t.montant::bigint), \
        (t.id_compte_frais, t.frais - t.taxe), (t.id_compte_taxe, t.taxe)) l (id_compte, montant) \
      WHERE t.initiateur IS NOT NULL AND t.statut = 'reussie' AND NOT t.differee AND l.montant <> 0 \
      UNION ALL SELECT id_transaction, id_compte, -montant FROM ecriture) x \
    GROUP BY id_transaction, id_compte HAVING sum(montant) <> 0";

/// The balances that receipts and replays show are those of the entries.
const OPERATION_BALANCES: &str = "SELECT 'operation ' || t.id_transaction FROM transaction t JOIN ecriture e ON e.id_transaction = t.id_transaction \
    WHERE (e.id_compte = t.id_compte_expediteur AND e.solde_apres IS DISTINCT FROM t.solde_expediteur) \
       OR (e.id_compte = t.id_compte_recepteur AND e.solde_apres IS DISTINCT FROM t.solde_recepteur)";

const HOLDS: &str = "WITH ouverte AS (\
      SELECT id_compte_debit, id_compte_credit, montant - capture - libere AS reste, CASE WHEN frais_pris THEN 0 ELSE frais END AS frais \
      FROM retenue WHERE capture + libere < montant) \
    SELECT 'compte ' || c.id_compte FROM compte c \
    LEFT JOIN (SELECT id_compte_debit AS id, sum(reste + frais) AS total FROM ouverte GROUP BY 1) d ON d.id = c.id_compte \
    LEFT JOIN (SELECT id_compte_credit AS id, sum(reste) AS total FROM ouverte GROUP BY 1) r ON r.id = c.id_compte \
    WHERE c.debits_attente <> coalesce(d.total, 0) OR c.credits_attente <> coalesce(r.total, 0)";

const CAPTURES: &str = "SELECT 'operation ' || r.id_transaction FROM retenue r LEFT JOIN (\
      SELECT lie_a, sum(montant) AS total FROM transaction WHERE nature = 'reglement' AND statut = 'reussie' GROUP BY lie_a) s ON s.lie_a = r.id_transaction \
    WHERE r.capture <> coalesce(s.total, 0) OR r.capture + r.libere > r.montant";

/// An open operation is one whose hold is open; its row and its hold name the same money.
const OPEN_STATES: &str = "SELECT 'operation ' || coalesce(t.id_transaction, r.id_transaction) FROM \
      (SELECT * FROM transaction WHERE differee AND statut <> 'refusee') t FULL JOIN retenue r ON r.id_transaction = t.id_transaction \
    WHERE t.id_transaction IS NULL OR r.id_transaction IS NULL OR t.montant <> r.montant OR t.frais <> r.frais \
       OR t.id_compte_expediteur <> r.id_compte_debit OR t.id_compte_recepteur <> r.id_compte_credit \
       OR (t.statut = 'attente') <> (r.capture + r.libere < r.montant) OR (t.statut IN ('echouee', 'expiree') AND r.capture > 0) \
       OR (t.statut = 'reussie' AND r.capture = 0)";

const REFUNDS: &str = "SELECT 'operation ' || t.id_transaction FROM transaction t LEFT JOIN (\
      SELECT lie_a, sum(montant) AS total FROM transaction WHERE nature IN ('remboursement', 'annulation') AND statut = 'reussie' GROUP BY lie_a) r \
      ON r.lie_a = t.id_transaction \
    WHERE t.rembourse <> coalesce(r.total, 0) OR t.rembourse > t.montant";

/// Counted since the limit exists; the window is that of the day on which the operation was decided.
const COUNTERS: &str = "WITH suivi AS (\
      SELECT nature, fenetre, min(cree_le) AS depuis, CASE fenetre WHEN 'jour' THEN 'day' WHEN 'semaine' THEN 'week' ELSE 'month' END AS pas \
      FROM limite WHERE mesure IN ('cumul', 'nombre') GROUP BY nature, fenetre), \
    attendu AS (\
      SELECT c.id_compte, date_trunc(s.pas, t.date_transaction)::date AS periode, s.nature, s.fenetre, \
        sum(CASE WHEN t.differee THEN r.capture ELSE t.montant::bigint END) AS montant, \
        sum(CASE WHEN t.differee THEN r.montant - r.capture - r.libere ELSE 0 END) AS reserve, \
        count(*) FILTER (WHERE NOT t.differee OR r.capture > 0 OR r.libere < r.montant) AS nombre \
      FROM transaction t JOIN suivi s ON s.nature = t.nature AND t.date_transaction AT TIME ZONE 'UTC' >= s.depuis \
      JOIN compte c ON c.id_compte = CASE t.nature WHEN 'depot' THEN t.id_compte_recepteur ELSE t.id_compte_expediteur END AND c.id_user IS NOT NULL \
      LEFT JOIN retenue r ON r.id_transaction = t.id_transaction \
      WHERE t.initiateur IS NOT NULL AND t.statut <> 'refusee' GROUP BY 1, 2, 3, 4), \
    trouve AS (SELECT m.* FROM compteur_argent m JOIN suivi s USING (nature, fenetre)) \
    SELECT 'compte ' || coalesce(a.id_compte, m.id_compte) || ' ' || coalesce(a.nature, m.nature) || ' ' || coalesce(a.periode, m.periode) \
    FROM attendu a FULL JOIN trouve m ON m.id_compte = a.id_compte AND m.periode = a.periode AND m.nature = a.nature AND m.fenetre = a.fenetre \
    WHERE coalesce(a.montant, 0) <> coalesce(m.montant, 0) OR coalesce(a.reserve, 0) <> coalesce(m.reserve, 0) OR coalesce(a.nombre, 0) <> coalesce(m.nombre, 0)";

const FLOORS: &str = "SELECT 'compte ' || id_compte FROM compte WHERE credits - debits - debits_attente < plancher";

const USED_ONCE: &str = "SELECT 'sujet ' || u.sujet FROM usage_unique u LEFT JOIN transaction t ON t.id_transaction = u.id_transaction \
    WHERE u.etat = 'utilise' AND (t.id_transaction IS NULL OR t.statut = 'refusee')";

const DELETABLE: &str = "SELECT 'compte ' || c.id_compte FROM compte c WHERE NOT EXISTS (SELECT FROM compte_titulaire t WHERE t.id_compte = c.id_compte)";
