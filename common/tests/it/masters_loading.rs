//! Loading symbol masters: from files, over HTTP, by way of the copies, and again while running.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::masters::{Catalogs, Freshness, Loaded, Masters};
use common::settings::InstrumentSettings;
use common::shutdown::Shutdown;
use common::testing::eventually;

const HOUR: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(30);

/// A master of Binance with one symbol.
fn master(base: &str) -> String {
    format!(r#"{{"symbols":[{{"symbol":"{base}USDT","baseAsset":"{base}","quoteAsset":"USDT"}}]}}"#)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// A web server whose only page can be changed; without one it is out of order.
#[derive(Clone)]
struct Server {
    url: String,
    page: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Server {
    fn new(page: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/complete.json.gz?token=CANARY", listener.local_addr().unwrap());
        let server = Self { url, page: Arc::new(Mutex::new(Some(page.into()))) };
        let serving = server.clone();
        std::thread::spawn(move || {
            for mut socket in listener.incoming().map_while(Result::ok) {
                let mut request = [0; 4096];
                let _length = socket.read(&mut request).unwrap_or_default();
                let page = serving.page.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let (status, body) = page.map_or(("503 Service Unavailable", Vec::new()), |page| ("200 OK", page));
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                drop(socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(&body)));
            }
        });
        server
    }

    fn show(&self, page: Option<&str>) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = page.map(|page| page.as_bytes().to_vec());
    }

    fn masters(&self, folder: &Path, refresh: Duration) -> Masters {
        masters(&format!("binance={}", self.url), folder, refresh)
    }
}

fn masters(source: &str, folder: &Path, refresh: Duration) -> Masters {
    let settings =
        InstrumentSettings { masters: vec![source.parse().unwrap()], refresh, ..InstrumentSettings::default() };
    Masters::new(&settings, folder)
}

fn symbols(loaded: &Loaded) -> Vec<&str> {
    loaded.catalog.rows("binance").iter().map(|row| &*row.symbol).collect()
}

#[tokio::test]
async fn a_download_is_kept_and_a_young_copy_is_used_instead() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::new(gzip(&master("AAA"))));
    let masters = server.masters(folder.path(), HOUR);
    let first = masters.load(Freshness::Cached).await;
    assert_eq!((symbols(&first), first.reports[0].age), (vec!["AAAUSDT"], None));

    server.show(Some(&master("BBB")));
    let second = masters.load(Freshness::Cached).await;
    assert_eq!(symbols(&second), ["AAAUSDT"]);
    assert!(second.reports[0].age.is_some() && second.reports[0].trouble.is_none());

    let anew = masters.load(Freshness::Anew).await;
    assert_eq!(symbols(&anew), ["BBBUSDT"]);
}

#[tokio::test]
async fn when_a_download_fails_the_copy_is_used_with_a_warning_that_holds_no_secret() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::new(master("AAA")));
    let masters = server.masters(folder.path(), Duration::ZERO);
    masters.load(Freshness::Cached).await;
    for (page, said) in
        [(None, "503"), (Some("<html>sorry</html>"), "expected JSON"), (Some("{\"symbols\":[]}"), "no rows")]
    {
        server.show(page);
        let loaded = masters.load(Freshness::Cached).await;
        let report = &loaded.reports[0];
        assert_eq!(symbols(&loaded), ["AAAUSDT"], "{page:?}");
        assert!(report.age.is_some());
        assert!(report.trouble.as_ref().is_some_and(|trouble| trouble.contains(said)), "{report:?}");
        assert!(!format!("{report:?} {masters:?}").contains("CANARY"), "{report:?}");
    }
}

#[tokio::test]
async fn without_a_copy_there_is_nothing_and_a_reason() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::new("nonsense"));
    let loaded = server.masters(folder.path(), HOUR).load(Freshness::Cached).await;
    assert!(loaded.catalog.is_empty() && loaded.reports[0].trouble.is_some(), "{:?}", loaded.reports);
    let missing = masters("binance=/no/such/file.json", folder.path(), HOUR).load(Freshness::Cached).await;
    assert!(missing.reports[0].trouble.as_ref().is_some_and(|trouble| trouble.contains("No such file")));
}

#[tokio::test]
async fn a_file_is_read_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spot.json");
    std::fs::write(&file, gzip(&master("AAA"))).unwrap();
    let masters = masters(&format!("binance={}", file.display()), folder.path(), HOUR);
    assert_eq!(symbols(&masters.load(Freshness::Cached).await), ["AAAUSDT"]);
    std::fs::write(&file, master("BBB")).unwrap();
    assert_eq!(symbols(&masters.load(Freshness::Cached).await), ["BBBUSDT"]);
    assert!(masters.of_feed("kite").load(Freshness::Cached).await.reports.is_empty());
}

#[tokio::test]
async fn a_running_process_follows_the_master_and_keeps_what_it_has_when_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spot.json");
    std::fs::write(&file, master("AAA")).unwrap();
    let masters = masters(&format!("binance={}", file.display()), folder.path(), Duration::from_millis(10));
    let Loaded { catalog, reports } = masters.load(Freshness::Cached).await;
    let (catalogs, shutdown) = (Catalogs::new(catalog), Shutdown::new());
    shutdown.spawn("masters", masters.keep_fresh(catalogs.clone(), reports, shutdown.clone()));

    std::fs::write(&file, master("BBB")).unwrap();
    let holds = |symbol| catalogs.current().find("binance", symbol).is_some();
    eventually("the new master counts", SOON, async || holds("BBBUSDT") && !holds("AAAUSDT")).await;
    std::fs::remove_file(&file).unwrap();
    shutdown.begin();
    assert!(shutdown.drained(SOON).await);
    assert!(holds("BBBUSDT"));
}
