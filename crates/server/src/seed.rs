//! A small believable Abidjan for development: people with money, payments between them, posts, notifications,
//! announcements and the facilities that ship with the program, so that every screen has something on it.

use anyhow::{Context, bail};
use identity::Founder;
use kernel::identifier::Countries;
use kernel::{Francs, Identifier, Phone};
use notifications::Notice;
use sqlx::PgConnection;
use wallet::ledger::{Action, Command, Fingerprint, Kind, Movement, Party, Tariff, Verdict};

use crate::wiring::App;

/// Everybody's password; printed, since nobody could guess whom to sign in as.
pub const PASSWORD: &str = "Akwaba-Abidjan-1960";

/// Number, first name, last name, francs.
const PEOPLE: [(&str, &str, &str, i64); 8] = [
    ("0701020301", "Awa", "Koné", 185_000),
    ("0501020302", "Yao", "Kouassi", 42_500),
    ("0101020303", "Mariam", "Traoré", 310_000),
    ("0701020304", "Jean-Marc", "N'Guessan", 8_750),
    ("0501020305", "Fatou", "Diabaté", 96_000),
    ("0701020306", "Serge", "Bamba", 150_000),
    ("0101020307", "Adjoua", "Kouamé", 27_300),
    ("0701020308", "Maquis Chez Tantie", "Treichville", 512_000),
];

/// From, to (places in the list above), francs, note.
const PAYMENTS: [(usize, usize, i64, &str); 10] = [
    (0, 7, 4_500, "Garba et attiéké"),
    (1, 7, 2_000, "Deux jus de bissap"),
    (2, 0, 15_000, "Tontine de mars"),
    (4, 7, 6_000, "Poulet braisé"),
    (5, 3, 10_000, "Essence du gbaka"),
    (2, 6, 5_000, "Pour les enfants"),
    (0, 1, 1_500, "Taxi compteur"),
    (5, 7, 3_500, "Alloco poisson"),
    (2, 4, 20_000, "Loyer, ma part"),
    (6, 7, 1_000, "Eau et café"),
];

/// Who, what.
const POSTS: [(usize, &str); 5] = [
    (0, "Qui connaît une bonne pharmacie de garde vers Cocody ce soir ?"),
    (1, "Le pont HKB est dégagé ce matin, bonne route à tous."),
    (2, "Don de sang samedi au CNTS de Treichville. On y va ensemble ?"),
    (4, "Merci au personnel du CHU d'Angré pour l'accueil de ma mère."),
    (6, "Nouveau : on peut me payer le café par QR !"),
];

/// Writes the town; what is there already stays as it is.
pub async fn run(app: &App) -> anyhow::Result<Vec<String>> {
    let mut people = Vec::new();
    for (number, first_name, last_name, francs) in PEOPLE {
        let phone = phone(number)?;
        let founder = Founder { phone: &phone, first_name, last_name, password: PASSWORD };
        let id = match app.identity.settle(&founder).await? {
            Some(id) => id,
            None => known(app, &phone).await?,
        };
        open(app, number, id, francs).await?;
        people.push(id);
    }
    for (place, (from, to, francs, note)) in PAYMENTS.into_iter().enumerate() {
        pay(app, place, at(&people, from)?, at(&people, to)?, francs, note).await?;
    }
    let mut connection = app.db.write.acquire().await?;
    if is_empty(&mut connection, "publication").await? {
        for (who, text) in POSTS {
            post(&mut connection, at(&people, who)?, text).await?;
        }
    }
    if is_empty(&mut connection, "notification").await? {
        for id in &people {
            let notice = Notice {
                id_user: *id,
                kind: "message",
                title: "Bienvenue sur Hostolink",
                text: "Votre compte est prêt : payez, soignez-vous, échangez.",
            };
            notifications::notify(&mut connection, &app.clock, &app.random, &notice).await?;
        }
    }
    if is_empty(&mut connection, "annonce").await? {
        app.announcements
            .publish(
                &app.random,
                "Campagne de vaccination",
                "La fièvre jaune : vaccination gratuite dans les centres de santé urbains jusqu'à la fin du mois.",
            )
            .await?;
        app.announcements.publish(&app.random, "Bienvenue", "Hostolink ouvre ses portes à Abidjan.").await?;
    }
    drop(connection);
    facilities(app).await?;
    Ok(PEOPLE.iter().map(|(number, first, last, _)| format!("{number}  {first} {last}")).collect())
}

/// The facilities, boundaries and numbers that ship with the program.
pub async fn facilities(app: &App) -> anyhow::Result<()> {
    for (file, report) in health::seed(&app.health.world()).await? {
        tracing::info!(file, created = report.created, refused = report.refused, "shipped data was read");
    }
    Ok(app.health.refresh().await?)
}

fn phone(number: &str) -> anyhow::Result<Phone> {
    match Identifier::parse(number, &Countries::default()) {
        Ok(Identifier::Phone(phone)) => Ok(phone),
        _ => bail!("a number of the town is not one"),
    }
}

fn at(people: &[i32], place: usize) -> anyhow::Result<i32> {
    people.get(place).copied().context("a person of the town is missing")
}

async fn known(app: &App, phone: &Phone) -> anyhow::Result<i32> {
    let found = app.identity.find(&Identifier::Phone(phone.clone())).await?;
    Ok(found.context("a number is taken and unknown")?.id_user)
}

/// The same keys at each run: nobody gets richer by a second one.
async fn open(app: &App, number: &str, id: i32, francs: i64) -> anyhow::Result<()> {
    let from = Party::system("ouverture");
    let movement = Movement {
        kind: Kind::Opening,
        from: from.clone(),
        to: Party::User(id),
        amount: amount(francs)?,
        tariff: Tariff::Free,
    };
    done(
        app,
        Command::new(
            from,
            format!("seed:{number}"),
            Fingerprint::of(&[b"seed", number.as_bytes()]),
            Action::Move(movement),
        ),
    )
    .await
}

async fn pay(app: &App, place: usize, from: i32, to: i32, francs: i64, note: &str) -> anyhow::Result<()> {
    let movement = Movement {
        kind: Kind::Transfer,
        from: Party::User(from),
        to: Party::User(to),
        amount: amount(francs)?,
        tariff: Tariff::Free,
    };
    let mut command = Command::new(
        Party::User(from),
        format!("seed:{place}"),
        Fingerprint::of(&[b"seed", &place.to_be_bytes()]),
        Action::Move(movement),
    );
    command.note = Some(note.to_owned());
    done(app, command).await
}

fn amount(francs: i64) -> anyhow::Result<Francs> {
    Francs::new(francs).context("an amount of the town is not one")
}

async fn done(app: &App, command: Command) -> anyhow::Result<()> {
    match app.ledger.post(command).await? {
        Verdict::Done { .. } => Ok(()),
        other => bail!("the ledger answered {other:?}"),
    }
}

async fn is_empty(connection: &mut PgConnection, table: &'static str) -> sqlx::Result<bool> {
    let sql = match table {
        "publication" => "SELECT NOT EXISTS (SELECT FROM publication)",
        "notification" => "SELECT NOT EXISTS (SELECT FROM notification)",
        _ => "SELECT NOT EXISTS (SELECT FROM annonce)",
    };
    sqlx::query_scalar(sql).fetch_one(connection).await
}

async fn post(connection: &mut PgConnection, id: i32, text: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO publication (id_user, contenu) VALUES ($1, $2)")
        .bind(id)
        .bind(text)
        .execute(connection)
        .await
        .map(drop)
}
