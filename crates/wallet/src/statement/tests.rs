use chrono::NaiveDate;
use serde_json::json;

use super::Period;
use crate::testing::world;

#[tokio::test]
async fn a_statement_goes_from_balance_to_balance() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    for n in 0..3 {
        awa.send(&format!("k{n}"), "0505050502", 1000 + n).await.data(201);
    }
    let evil = json!({"to": "0707070701", "amount": 5, "note": "=cmd|' /C calc'!A0"});
    koffi.pay("evil", "/api/transfers", evil).await.data(201);
    let answer = awa.client.get("/api/wallet/statement?format=csv").await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let mut reader = csv::Reader::from_reader(answer.bytes.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |n: usize| rows.iter().map(|row| row[n].to_owned()).collect::<Vec<_>>();
    assert_eq!(column(6), ["50000", "-1000", "-1001", "-1002", "5"]);
    assert_eq!(column(8), ["50000", "49000", "47999", "46997", "47002"]);
    assert_eq!(&rows[4][5], "'=cmd|' /C calc'!A0");
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("0505050502"));

    let pdf = awa.client.get("/api/wallet/statement").await;
    let text = String::from_utf8_lossy(&pdf.bytes).into_owned();
    assert!(text.starts_with("%PDF-") && text.contains("47 002") && text.contains("-1 002"));
    let empty = awa.client.get("/api/wallet/statement?from=2020-01-01&to=2020-01-31&format=csv").await;
    assert_eq!(String::from_utf8_lossy(&empty.bytes).lines().count(), 1);
    for wrong in ["from=2026-02-30", "format=xls", "from=2026-11-02&to=2026-11-01", "from=2020-01-01&to=2026-01-01"] {
        assert_eq!(
            awa.client.get(&format!("/api/wallet/statement?{wrong}")).await.code(400),
            "request.invalid",
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_long_statement_has_many_pages() {
    let world = world().await;
    let (awa, _) = (world.rich("0707070701", 50_000).await, world.member("0505050502").await);
    for n in 0..60 {
        awa.send(&format!("k{n}"), "0505050502", 10).await.data(201);
    }
    let text = String::from_utf8_lossy(&awa.client.get("/api/wallet/statement").await.bytes).into_owned();
    assert!(text.contains("/Count 2"), "61 lines and two balances");
}

#[test]
fn periods_are_bounded() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let month = Period::of(None, None, day("2026-11-22")).unwrap();
    assert_eq!((month.from, month.to), (day("2026-11-01"), day("2026-11-22")));
    assert!(Period::of(Some(day("2025-11-22")), Some(day("2026-11-22")), day("2026-11-22")).is_ok());
    assert!(Period::of(Some(day("2025-11-21")), Some(day("2026-11-22")), day("2026-11-22")).is_err());
}
