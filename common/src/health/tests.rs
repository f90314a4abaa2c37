use super::*;
use crate::testing::eventually;

#[derive(Debug, Default)]
struct Part(std::sync::Mutex<Vec<String>>);

impl Readiness for Part {
    fn reasons(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

async fn server(part: &Arc<Part>) -> SocketAddr {
    let server = HealthServer::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = server.address().unwrap();
    let part = Arc::clone(part);
    let services = Shutdown::new();
    services.spawn("test", server.run(part, services.clone()));
    address
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let answer = ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn it_says_whether_a_part_is_ready_and_why_not() {
    let part = Arc::<Part>::default();
    let address = server(&part).await;
    assert_eq!(get(address, "/readyz").await, ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned()));
    *part.0.lock().unwrap() = vec!["waiting for the store:\r\nno answer".to_owned(), "stopping".to_owned()];
    let (status, body) = get(address, "/readyz?verbose").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(body, "waiting for the store:  no answer\nstopping\n");
    assert_eq!(get(address, "/livez").await.1, "ok\n", "alive all the same");
    assert_eq!(get(address, "/").await.0, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_what_is_too_long_is_cut_off() {
    let address = server(&Arc::default()).await;
    assert!(ask(address, "nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let endless = format!("GET /livez HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
    assert!(ask(address, &endless[..HEAD_BYTES_MAX]).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn clients_that_send_nothing_keep_others_out_for_a_few_seconds_at_most() {
    let address = server(&Arc::default()).await;
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX + 8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    eventually("an honest client is answered", REQUEST_MAX * 3, async || get(address, "/livez").await.1 == "ok\n")
        .await;
}
