//! The page `/map` in a real browser: it draws from our own tiles, searches, offers to call, and asks nobody else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use health::{Config, Deps, Health};
use kernel::http::{Lexicon, render};
use kernel::{Clock, Random};

/// Node modules of `tests/browser` and a Chromium, or the reason why there is none.
fn tools() -> Result<(PathBuf, PathBuf), &'static str> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    match chromium {
        None => Err("no Chromium: apt-get install chromium"),
        Some(_) if !folder.join("node_modules/playwright-core").is_dir() => {
            Err("no playwright-core: npm ci in crates/health/tests/browser")
        }
        Some(chromium) => Ok((folder, chromium)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_map_shows_facilities_and_asks_nobody_else() {
    let (folder, chromium) = match tools() {
        Ok(tools) => tools,
        Err(reason) => {
            eprintln!("SKIPPED: the page /map is not tested in a browser: {reason}");
            return;
        }
    };
    let test = testkit::db().await;
    let health = Health::new(Deps {
        db: test.db.clone(),
        clock: Clock::system(),
        random: Random::system(),
        config: Config::default(),
    })
    .await;
    health::seed(&health.world()).await.unwrap();
    health.refresh().await.unwrap();
    let router = Router::new()
        .nest("/api", health.routes().split_for_parts().0)
        .merge(health.root_routes())
        .layer(axum::middleware::from_fn_with_state(Arc::new(Lexicon::default()), render::envelope));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("map.png");
    let script = Command::new("node");
    let told = tokio::task::spawn_blocking({
        let (base, picture) = (base.clone(), picture.clone());
        move || {
            let mut script = script;
            script.current_dir(folder).arg("map.mjs").arg(base).arg(chromium).arg(picture).output().unwrap()
        }
    })
    .await
    .unwrap();
    server.abort();
    let out = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success(), "{out}\n{}", String::from_utf8_lossy(&told.stderr));
    eprintln!("{out}\npicture: {}", picture.display());
    let told: serde_json::Value = serde_json::from_str(out.lines().last().unwrap_or("")).unwrap();
    assert_eq!((&told["foreign"], &told["errors"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert!(told["emergency"].as_array().unwrap().contains(&"tel:185".into()), "{told}");
    assert!(
        told["results"].as_u64().unwrap() >= 5 && told["first"].as_str().unwrap().to_lowercase().contains("pharmacie"),
        "{told}"
    );
    assert!(
        told["ways"].as_u64().unwrap() >= 5
            && told["tiles"].as_u64().unwrap() >= 4
            && told["hospitals"].as_u64().unwrap() >= 5,
        "{told}"
    );
    assert!(std::fs::metadata(&picture).unwrap().len() > 20_000);
}
