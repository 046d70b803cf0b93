use crate::testing::world;

#[tokio::test]
async fn a_receipt_is_printed_for_its_parties_and_checked_by_anybody() {
    let world = world().await;
    let (awa, koffi) = (world.rich("0707070701", 5000).await, world.member("0505050502").await);
    let id = awa.send("k", "0505050502", 1500).await.data(201)["transaction"]["id"].as_str().unwrap().to_owned();
    let printed = awa.client.get(&format!("/api/transactions/{id}/receipt")).await;
    assert_eq!((printed.status.as_u16(), printed.headers["content-type"].to_str().unwrap()), (200, "application/pdf"));
    let text = String::from_utf8_lossy(&printed.bytes).into_owned();
    assert!(text.starts_with("%PDF-") && text.contains("1 500 F CFA") && text.contains(&id));
    assert!(!text.contains("0505050502"), "no full number");
    assert_eq!(koffi.client.get(&format!("/api/transactions/{id}/receipt")).await.status, 200);
    let stranger = world.member("0101010103").await;
    assert_eq!(stranger.client.get(&format!("/api/transactions/{id}/receipt")).await.code(404), "request.not_found");

    let proof = world.wallet.proof(id.parse().unwrap()).unwrap();
    assert!(text.contains(&proof));
    let checked = world.anybody.get(&format!("/api/receipts/{id}?code={proof}")).await.data(200)["receipt"].clone();
    assert_eq!(
        (&checked["amount"], &checked["status"], &checked["refunded"]),
        (&1500.into(), &"succeeded".into(), &0.into())
    );
    assert_eq!(checked["payee"]["maskedIdentifier"], "+225 05 ** ** ** 02");
    let altered = proof.replace(&proof[27..], if &proof[27..] == "0" { "1" } else { "0" });
    for wrong in [altered.as_str(), "", "zzzz", "éééé", &proof[..20]] {
        let answer = world.anybody.get(&format!("/api/receipts/{id}?code={}", wrong.replace('é', "%C3%A9"))).await;
        assert_eq!(answer.code(404), "request.not_found", "{wrong}");
    }
    assert_eq!(world.anybody.get(&format!("/api/receipts/{id}")).await.code(400), "request.invalid");
}
